"""Contexts: code that remembers, a cell at a time."""

from typing import Any, Final

from execution.contexts.answers import FIELD_OF
from execution.contexts.requests import ExecuteSerializer
from execution.fields import body_schema
from execution.openapi.operation import BYTES, Answer, Operation
from execution.openapi.parts import Schema, array, closed, in_path, moment, ref, text, whole

_SHOWN: Final[dict[str, Schema]] = {
    field: {"description": f"The value as {mime}."} if field == "json" else text(f"The value as {mime}.")
    for mime, field in FIELD_OF.items()
}

SCHEMAS: Final[dict[str, Schema]] = {
    "ExecuteRequest": body_schema(ExecuteSerializer()),
    "Execution": {
        **closed(
            {
                "context_id": text("Name it in the next request to go on in the same context."),
                "items": array(ref("Item")),
                "logs": closed({"stdout": array(text()), "stderr": array(text())}, description="What was printed."),
                "execution_count": whole("1, 2, 3 … within the context.", minimum=0),
            }
        ),
    },
    "Item": {
        "type": "object",
        "properties": {
            "is_primary": {"type": "boolean", "description": "Whether it is the value of the cell itself."},
            **_SHOWN,
            "extra": {"type": "object", "description": "Values of all other types, by type."},
        },
        "required": ["is_primary"],
        "description": "Something that a cell showed; binary values are base64.",
    },
    "Context": closed(
        {
            "context_id": text(),
            "language": text(),
            "state": text("`ended`: it has lost its state.", enum=["idle", "busy", "ended"]),
            "execution_count": whole(minimum=0),
            "waiting": whole("Cells that wait.", minimum=0),
            "opened_at": moment("When it was opened."),
            "used_at": moment("When it was used last."),
            "expires_at": moment("When it is closed if nobody uses it."),
            "memory": whole("In KB.", minimum=0),
        }
    ),
    "Contexts": closed({"contexts": array(ref("Context"))}),
    "ContextFile": closed(
        {
            "path": text("Relative to the work dir."),
            "size": whole("In bytes.", minimum=0),
            "modified_at": moment("When it was written last."),
        }
    ),
    "ContextFiles": closed(
        {
            "files": array(ref("ContextFile")),
            "complete": {"type": "boolean", "description": "False when there are more than are listed."},
        }
    ),
}
SCHEMAS["Execution"]["properties"]["error"] = closed(
    {"name": text(), "value": text(), "traceback": text()}, description="What ended the cell; absent when nothing did."
)

_ID: Final = in_path("context_id", "The context’s id.", text(pattern="^[A-Za-z0-9_-]+$"))
_EXECUTION_EXAMPLE: Final[dict[str, Any]] = {
    "context_id": "c_5f0c",
    "items": [{"is_primary": True, "text": "21"}],
    "logs": {"stdout": [], "stderr": []},
    "execution_count": 1,
}
_CONTEXT_EXAMPLE: Final[dict[str, Any]] = {
    "context_id": "c_5f0c",
    "language": "python",
    "state": "idle",
    "execution_count": 1,
    "waiting": 0,
    "opened_at": "2026-03-01T12:00:00.000Z",
    "used_at": "2026-03-01T12:00:01.000Z",
    "expires_at": "2026-03-01T12:30:01.000Z",
    "memory": 40960,
}
_PATH: Final = in_path(
    "path", "The file’s path below the work dir; slashes may stand as they are.", text(minLength=1, maxLength=1024)
)
_CONTENT: Final = text("The file, byte for byte.", format="binary")
_TABLE: Final = "a,b\n1,2\n"
_FAILS: Final = ("not_found", "sandbox_unavailable")
_FILES_FAIL: Final = (*_FAILS, "context_ended", "context_busy")

OPERATIONS: Final = (
    Operation(
        url="execute",
        method="post",
        id="execute",
        tag="Contexts",
        summary="Execute a cell",
        description="Runs a cell in a context, a new one where none is named. A cell that fails is a 200 too.",
        body=ref("ExecuteRequest"),
        example={"code": "x = 20\nx + 1"},
        answers={200: Answer(schema=ref("Execution"), description="What it showed.", example=_EXECUTION_EXAMPLE)},
        refused=("not_found", "context_ended", "context_limit", "context_busy"),
        counted=True,
        repeatable=True,
    ),
    Operation(
        url="contexts",
        method="get",
        id="list_contexts",
        tag="Contexts",
        summary="List contexts",
        description="The organisation’s live contexts, the oldest first.",
        answers={
            200: Answer(schema=ref("Contexts"), description="All of them.", example={"contexts": [_CONTEXT_EXAMPLE]})
        },
        refused=("sandbox_unavailable",),
    ),
    Operation(
        url="context",
        method="get",
        id="get_context",
        tag="Contexts",
        summary="Look at a context",
        description="How a context stands.",
        parameters=(_ID,),
        answers={200: Answer(schema=ref("Context"), description="The context.", example=_CONTEXT_EXAMPLE)},
        refused=_FAILS,
    ),
    Operation(
        url="context",
        method="delete",
        id="close_context",
        tag="Contexts",
        summary="Close a context",
        description="Ends a context, with all that it remembers.",
        parameters=(_ID,),
        answers={204: Answer(schema=None, description="It is gone.")},
        refused=_FAILS,
    ),
    Operation(
        url="interrupt_context",
        method="post",
        id="interrupt_context",
        tag="Contexts",
        summary="Interrupt a cell",
        description="Ends the running cell; the state stays where the language can keep it.",
        parameters=(_ID,),
        answers={200: Answer(schema=ref("Context"), description="How it stands now.", example=_CONTEXT_EXAMPLE)},
        refused=(*_FAILS, "context_ended"),
    ),
    Operation(
        url="restart_context",
        method="post",
        id="restart_context",
        tag="Contexts",
        summary="Restart a context",
        description="The same context with nothing in it.",
        parameters=(_ID,),
        answers={200: Answer(schema=ref("Context"), description="How it stands now.", example=_CONTEXT_EXAMPLE)},
        refused=(*_FAILS, "context_ended", "toolchain_unavailable"),
    ),
    Operation(
        url="context_files",
        method="get",
        id="list_context_files",
        tag="Contexts",
        summary="List files",
        description="The regular files below a context’s work dir, sorted by path, while a cell runs or not.",
        parameters=(_ID,),
        answers={
            200: Answer(
                schema=ref("ContextFiles"),
                description="What is there.",
                example={
                    "files": [{"path": "data/table.csv", "size": 8, "modified_at": "2026-03-01T12:00:00.000Z"}],
                    "complete": True,
                },
            )
        },
        refused=_FILES_FAIL,
    ),
    Operation(
        url="context_file",
        method="get",
        id="read_context_file",
        tag="Contexts",
        summary="Fetch a file",
        description="A file of a context, at most 16 MB.",
        parameters=(_ID, _PATH),
        answers={200: Answer(schema=_CONTENT, description="Its content.", example=_TABLE, media=BYTES)},
        refused=(*_FILES_FAIL, "invalid", "file_refused"),
    ),
    Operation(
        url="context_file",
        method="put",
        id="write_context_file",
        tag="Contexts",
        summary="Send a file",
        description="Writes a file, of at most 16 MB, with its folders; it takes the place of what has the name.",
        parameters=(_ID, _PATH),
        body=_CONTENT,
        example=_TABLE,
        raw=True,
        answers={204: Answer(schema=None, description="It is there.")},
        refused=(*_FILES_FAIL, "invalid", "file_refused"),
    ),
    Operation(
        url="context_file",
        method="delete",
        id="remove_context_file",
        tag="Contexts",
        summary="Remove a file",
        description="Removes a file; its folder stays.",
        parameters=(_ID, _PATH),
        answers={204: Answer(schema=None, description="It is gone.")},
        refused=(*_FILES_FAIL, "invalid", "file_refused"),
    ),
)
