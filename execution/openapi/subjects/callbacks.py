"""What is sent to a key’s redirect URL: the document’s `webhooks`."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiWebhook

from execution.openapi.parts import Schema, closed, nullable, ref, text, whole
from execution.openapi.subjects.programs import RESULT, RESULT_EXAMPLE

_RESULT: Final[dict[str, Schema]] = RESULT["properties"]

SCHEMAS: Final[dict[str, Schema]] = {
    "RunMessage": {
        **closed(
            {
                "id": whole("The run’s.", minimum=1),
                **{name: _RESULT[name] for name in RESULT["required"]},
                "exit_code": nullable(_RESULT["exit_code"]),
                "extra_params": {"type": ["object", "null"], "description": "What the request carried."},
            }
        ),
        "description": "A result, as a synchronous run would have answered it. A run that was not carried out has the "
        "reason in `error`, no `exit_code`, and the `code` of the error.",
    },
}
SCHEMAS["RunMessage"]["properties"] |= {
    **{name: schema for name, schema in _RESULT.items() if name not in RESULT["required"]},
    "code": text("Of the error, where the run was not carried out."),
}

MESSAGE_EXAMPLE: Final[dict[str, Any]] = {"id": 1026, **RESULT_EXAMPLE, "extra_params": {"ticket": "A-17"}}


def _header(name: str, description: str) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": True, "schema": {"type": "string"}, "description": description}


def _webhook(name: str, summary: str, body: Schema, example: Any) -> OpenApiWebhook:
    return OpenApiWebhook(
        name,
        {
            "post": {
                "operationId": name,
                "summary": summary,
                "description": "Signed as Standard Webhooks says, and tried again for a day until it is accepted.",
                "tags": ["Callbacks"],
                "parameters": [
                    _header("webhook-id", "The message’s own; the same when it is sent again."),
                    _header("webhook-timestamp", "When this attempt was made, in Unix seconds."),
                    _header("webhook-signature", "One or several signatures; one that fits is enough."),
                ],
                "requestBody": {
                    "content": {"application/json": {"schema": body, "examples": {name: {"value": example}}}}
                },
                "responses": {"2XX": {"description": "It is accepted."}, "410": {"description": "Send no more."}},
            }
        },
    )


RUN_ENDED: Final = _webhook("run_ended", "A run has ended", ref("RunMessage"), MESSAGE_EXAMPLE)
