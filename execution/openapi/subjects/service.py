"""The use of an account, and the probes."""

from typing import Final

from execution.openapi.operation import Answer, Operation
from execution.openapi.parts import Schema, closed, in_path, moment, ref, text, whole

SCHEMAS: Final[dict[str, Schema]] = {
    "Usage": closed(
        {
            "plan": text(),
            "connections": whole("WebSocket connections that are open now.", minimum=0),
            "connection_limit": whole(minimum=0),
            "runs_used": whole("In this period.", minimum=0),
            "runs_left": whole(minimum=0),
            "period_end": moment("When the count starts anew."),
        }
    ),
    "Health": closed({"status": text(enum=["ok"])}),
    "Readiness": closed(
        {"status": text(enum=["ready"]), "checks": {"type": "object", "additionalProperties": text(enum=["ok"])}}
    ),
}

OPERATIONS: Final = (
    Operation(
        url="usage-by-secret",
        method="get",
        id="get_usage",
        tag="Usage",
        summary="Usage",
        description="How much of the plan is used. Whoever knows the account secret may ask; there is no key.",
        parameters=(in_path("secret", "The account secret, `rs_…`.", text()),),
        answers={
            200: Answer(
                schema=ref("Usage"),
                description="What is used and left.",
                example={
                    "plan": "free",
                    "connections": 0,
                    "connection_limit": 10,
                    "runs_used": 1,
                    "runs_left": 4999,
                    "period_end": "2026-12-01T00:00:00Z",
                },
            )
        },
        refused=("not_found",),
        keyed=False,
    ),
    Operation(
        url="healthz",
        method="get",
        id="health",
        tag="Probes",
        summary="Is the process alive?",
        description="Answers while the process lives.",
        answers={200: Answer(schema=ref("Health"), description="It is.", example={"status": "ok"})},
        keyed=False,
    ),
    Operation(
        url="readyz",
        method="get",
        id="readiness",
        tag="Probes",
        summary="Can it serve now?",
        description="Answers when every part that a run needs does.",
        answers={
            200: Answer(
                schema=ref("Readiness"),
                description="It can.",
                example={"status": "ready", "checks": {"database": "ok", "sandbox": "ok"}},
            )
        },
        refused=("not_ready",),
        keyed=False,
    ),
)
