"""JSON Schema of what the service answers: the result of a run, the list of compilers, an error.

Objects here are open: a field that is added later breaks no client that was written against these.
"""

from typing import Any, Final

from execution.results import SHOWN_CHARACTERS
from execution.sandbox.job import Outcome

Schema = dict[str, Any]

_SECONDS: Final = r"^[0-9]+\.[0-9]{4}$"
_BASE64: Final[Schema] = {"type": "string", "contentEncoding": "base64"}


def _object(properties: dict[str, Schema], **keywords: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), **keywords}


def _text(description: str, **keywords: Any) -> Schema:
    return {"type": "string", "description": description, **keywords}


RESULT_FIELDS: Final[dict[str, Schema]] = {
    "output": _text("Standard output, the first 999 characters.", maxLength=SHOWN_CHARACTERS),
    "error": _text(
        "Standard error or, if the program did not compile, the compiler’s messages; the first 999 characters.",
        maxLength=SHOWN_CHARACTERS,
    ),
    "status": _text("`success` when `exit_code` is 0, else `error`.", enum=["success", "error"]),
    "exit_code": {
        "type": "integer",
        "description": "The program’s; the compiler’s if it did not compile. 124: past the time limit. "
        "137 with signal 9: past the memory or output limit, or killed.",
    },
    "signal": {
        "type": ["integer", "null"],
        "description": "The signal that killed the program (`exit_code` is then 128 + signal), else null.",
    },
    "time": _text("Seconds of running, without compilation.", pattern=_SECONDS),
    "total": _text("Seconds with compilation.", pattern=_SECONDS),
    "memory": _text("Peak memory of the whole run, in KB.", pattern="^[0-9]+$"),
}
RESULT: Final = _object(RESULT_FIELDS)

OUTPUT_FILE: Final = _object(
    {
        "path": _text("Relative to the work directory."),
        "size": {"type": "integer", "minimum": 0, "description": "Its true size in bytes."},
        "base64": {**_BASE64, "description": "Its content, or the beginning of it."},
    }
)
EXTENDED_FIELDS: Final[dict[str, Schema]] = {
    "outcome": _text(
        "How the run ended.",
        enum=[outcome.value for outcome in Outcome if outcome is not Outcome.INTERNAL_ERROR],
    ),
    "truncated": _object(
        {"output": {"type": "boolean"}, "error": {"type": "boolean"}},
        description="Whether the string of that name is only the beginning.",
    ),
    "output_base64": {**_BASE64, "description": "Standard output byte by byte, up to the plan’s cap."},
    "error_base64": {**_BASE64, "description": "The same of what `error` shows."},
    "cpu_time": _text("Seconds of processor time, compilation included.", pattern=_SECONDS),
    "compile_time": {
        "type": ["string", "null"],
        "pattern": _SECONDS,
        "description": "Seconds of compilation; null when there is nothing to compile.",
    },
    "compile_output": _text("What the compiler said, warnings included."),
    "cached": {"type": "boolean", "description": "Whether the program had been compiled before."},
    "files": {
        "type": "array",
        "items": OUTPUT_FILE,
        "description": "The output files; also without `extended` when `output_files` is given.",
    },
}

V1_RESULT: Final = _object(
    {
        "data": _object(
            {
                "stdout": _text("Standard output, up to the plan’s cap."),
                "stderr": _text("Standard error, up to the same cap; the compiler’s messages if it did not compile."),
                "exitCode": {"type": "integer", "description": "128 + signal if the program was killed."},
                "executionTime": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "Milliseconds of running, without compilation; 0 if it did not compile.",
                },
                "timedOut": {"type": "boolean", "description": "Whether the program ran longer than `timeout`."},
            }
        )
    }
)

COMPILER: Final = _object(
    {
        "id": _text("What to send as `compiler`."),
        "language": _text("The language, as people call it."),
        "name": _text("Language and version, as people call them."),
        "version": {
            "type": ["string", "null"],
            "description": "What the installed toolchain says of itself; null when it is not installed.",
        },
        "stand_in": {"type": "boolean", "description": "Whether a near version serves this id."},
        "available": {"type": "boolean", "description": "Whether it can run here now."},
        "file_name": _text("The name under which `code` is stored."),
        "editor_mode": _text("The language’s name in CodeMirror."),
        "sample": _text("A program that prints `Hello, World!`."),
        "stateful": {"type": "boolean", "description": "Whether it can keep state in a REPL."},
    }
)
