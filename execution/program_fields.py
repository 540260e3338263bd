"""The fields of a program, as every body that carries one has them: their caps, and what no field can check alone."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rest_framework import serializers

from execution.fields import Table, Text, Word
from execution.paths import clash, path_error

KB: Final = 1024
CODE_BYTES: Final = 100 * KB
INPUT_BYTES: Final = 100 * KB
FILES: Final = 100
FILES_BYTES: Final = 1024 * KB
# Arguments and environment reach the program through execve, which takes a good deal more than this.
ARGS: Final = 32
ARGS_BYTES: Final = 32 * KB
ENV: Final = 64
ENV_BYTES: Final = 32 * KB


def optional(**options: Any) -> dict[str, Any]:
    """The options of a field that may be left out, for which `null` stands too."""
    return {"required": False, "allow_null": True, **options}


def files_field(help_text: str) -> Table:
    path, content = Word(check=path_error), Text(limit=FILES_BYTES)
    return Table(most=FILES, name=path, value=content, **optional(help_text=help_text))


def entrypoint_field(help_text: str) -> Word:
    return Word(check=path_error, **optional(help_text=help_text))


def env_field() -> Table:
    about = "Environment variables, name → text, 32 KB together, taken literally."
    return Table(most=ENV, name=Word(check=_env_name_error), value=Word(), **optional(help_text=about))


def _env_name_error(name: str) -> str | None:
    return "A name must not be empty or hold “=”." if not name or "=" in name else None


def check_files_size(files: Mapping[str, bytes]) -> None:
    """Raises ValidationError, like all checks here, under the field's name."""
    _check_sum("files", map(len, files.values()), FILES_BYTES)


def check_args_size(args: Iterable[str]) -> None:
    _check_sum("args", (len(arg.encode()) for arg in args), ARGS_BYTES)


def check_env_size(env: Mapping[str, str]) -> None:
    _check_sum("env", (len(name.encode()) + len(value.encode()) for name, value in env.items()), ENV_BYTES)


def check_together(paths: Iterable[str]) -> None:
    if both := clash(paths):
        raise serializers.ValidationError({"files": {both: "Is a file and a folder at once."}})


def _check_sum(field: str, sizes: Iterable[int], limit: int) -> None:
    size = sum(sizes)
    if size > limit:
        raise serializers.ValidationError(
            {field: f"Have {size:,} bytes of UTF-8 together; at most {limit:,} are allowed."}
        )
