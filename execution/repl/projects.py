"""Programs of several files, as clients send them: `[{"name", "content"}]` in JSON."""

import json
from typing import Any

from config.errors import FieldError, InvalidRequest
from execution.paths import clash, path_error
from execution.program_fields import FILES, FILES_BYTES
from execution.repl.evaluations import ALL_FILES
from execution.repl.languages import Language, entry_of
from execution.requests import RunRequest


def project_of(language: Language, data: str) -> RunRequest:
    """The request that runs a project. Raises InvalidRequest."""
    files = _files_of(_json(data))
    return RunRequest(compiler=language.compiler, files=files, entrypoint=entry_of(files), output_files=ALL_FILES)


def suite_of(data: str) -> tuple[dict[str, bytes], str]:
    """The files and the tests of `{"files", "suiteCode"}`. Raises InvalidRequest."""
    value = _json(data)
    suite = value.get("suiteCode") if isinstance(value, dict) else None
    if not isinstance(suite, str):
        raise _invalid("suiteCode", "Must be the program text of the tests.")
    return _files_of(value.get("files")), suite


def _files_of(value: Any) -> dict[str, bytes]:
    if not isinstance(value, list) or not value:
        raise _invalid("files", "Must be a list of at least one file, each with a name and a content.")
    if len(value) > FILES:
        raise _invalid("files", f"Has {len(value):,} files; at most {FILES} are allowed.")
    files: dict[str, bytes] = {}
    for file in value:
        name, content = (file.get("name"), file.get("content")) if isinstance(file, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(content, str):
            raise _invalid("files", "Each must have a name and a content, both strings.")
        if (wrong := path_error(name)) is not None:
            raise _invalid("files", wrong)
        if name in files:
            raise _invalid("files", f"{name} is there twice.")
        files[name] = content.encode("utf-8", "replace")
    if (both := clash(files)) is not None:
        raise _invalid("files", f"{both} is a file and a folder at once.")
    if (size := sum(map(len, files.values()))) > FILES_BYTES:
        raise _invalid("files", f"Have {size:,} bytes of UTF-8 together; at most {FILES_BYTES:,} are allowed.")
    return files


def _json(data: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise _invalid("files", "Must be JSON.") from None


def _invalid(field: str, text: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {text}", errors=[FieldError(field, text)])
