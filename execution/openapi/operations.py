"""Every operation of the HTTP API, in the order in which the reference shows them, and every object in them."""

from typing import Final

from execution.openapi.parts import Schema, array, closed, text
from execution.openapi.subjects import batches, callbacks, contexts, history, programs, service

_ERROR: Final = closed(
    {
        "message": text("A sentence for people; its wording may change."),
        "code": text("A word for programs; it stays."),
        "errors": array(closed({"field": text("A path; empty for the whole body."), "error": text()})),
    }
)

OPERATIONS: Final = (
    *programs.OPERATIONS,
    *batches.OPERATIONS,
    *history.OPERATIONS,
    *contexts.OPERATIONS,
    *service.OPERATIONS,
)

# As drf-spectacular wants them: by name.
WEBHOOKS: Final = (f"{callbacks.__name__}.RUN_ENDED",)

SCHEMAS: Final[dict[str, Schema]] = {
    "Error": _ERROR,
    **programs.SCHEMAS,
    **batches.SCHEMAS,
    **history.SCHEMAS,
    **callbacks.SCHEMAS,
    **contexts.SCHEMAS,
    **service.SCHEMAS,
}
