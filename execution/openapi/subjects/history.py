"""Runs as objects, and the deliveries of their results."""

from typing import Any, Final

from execution.catalogue import COMPILERS
from execution.history_filters import MOST, OUTCOMES
from execution.models import Delivery, Run
from execution.openapi.operation import Answer, Operation
from execution.openapi.parts import (
    POSITIVE,
    Schema,
    array,
    closed,
    in_path,
    moment,
    nullable,
    one_of,
    query,
    ref,
    text,
    whole,
)
from execution.openapi.subjects.programs import REQUEST_EXAMPLE, RESULT, RESULT_EXAMPLE
from execution.verdicts import Verdict

VERDICTS: Final = tuple(verdict.value for verdict in Verdict)
_UNKEPT: Final = ("output", "error", "output_base64", "error_base64", "compile_output", "files", "truncated")

_RUN: Final[dict[str, Schema]] = {
    "id": whole(minimum=1),
    "status": text("How the run stands.", enum=list(Run.Status.values)),
    "surface": text("Where it came from.", enum=list(Run.Surface.values)),
    "compiler": text(enum=list(COMPILERS)),
    "key": nullable(
        closed(
            {"id": whole(), "kind": text(enum=["api", "websocket"])},
            description="The key that was used; null for the playground.",
        )
    ),
    "batch": nullable(closed({"id": whole(), "position": whole()}, description="The batch that it is a case of.")),
    "verdict": nullable(text("Of a case of a batch.", enum=list(VERDICTS))),
    "outcome": nullable(text("How it ended; null before that and when it was not carried out.", enum=list(OUTCOMES))),
    "exit_code": nullable(whole()),
    "signal": nullable(whole()),
    "time": nullable(text("Seconds of running, without compilation.")),
    "total": nullable(text("Seconds with compilation.")),
    "memory": nullable(text("Peak memory, in KB.")),
    "error": nullable(
        closed({"code": text(), "message": text()}, description="Why it could not be carried out; else null.")
    ),
    "created_at": moment("When it was made."),
    "started_at": nullable(moment("When it was started last.")),
    "finished_at": nullable(moment("When it ended.")),
}

_ATTEMPT: Final = closed(
    {
        "at": moment("When it was made."),
        "url": text("Where it was sent."),
        "status": nullable(whole("The answer’s status; null when there was no answer.")),
        "cause": nullable(text("Why it failed, in words; null when it was accepted.")),
        "seconds": {"type": "number", "description": "How long it took."},
    }
)


SCHEMAS: Final[dict[str, Schema]] = {
    "Run": closed(_RUN),
    "RunDetail": closed(
        {
            **_RUN,
            "extra_params": {"type": ["object", "null"], "description": "What the request carried."},
            "request": {
                "type": ["object", "null"],
                "description": "A body that can be sent again; null where programs are not kept.",
            },
            "result": nullable(ref("KeptResult")),
        }
    ),
    "KeptResult": {
        **RESULT,
        "description": "As `Result`; what the organisation does not keep is null.",
        "properties": {
            name: nullable(schema) if name in _UNKEPT else schema for name, schema in RESULT["properties"].items()
        },
    },
    "RunPage": closed(
        {"next": nullable(text("The address of the following page.", format="uri")), "results": array(ref("Run"))}
    ),
    "Delivery": closed(
        {
            "webhook_id": text("The `webhook-id` header that it is sent with."),
            "state": text(enum=list(Delivery.State.values)),
            "created_at": moment("When the result was there."),
            "delivered_at": nullable(moment("When it was accepted.")),
            "next_attempt_at": nullable(moment("Null when there will be none.")),
            "attempts": array(_ATTEMPT),
        }
    ),
}

_RUN_EXAMPLE: Final[dict[str, Any]] = {
    "id": 1026,
    "status": "finished",
    "surface": "sync",
    "compiler": "python-3.14",
    "key": {"id": 12, "kind": "api"},
    "batch": None,
    "verdict": None,
    "outcome": "success",
    "exit_code": 0,
    "signal": None,
    "time": "0.0248",
    "total": "0.0248",
    "memory": "8192",
    "error": None,
    "created_at": "2026-03-01T12:00:00.000Z",
    "started_at": "2026-03-01T12:00:00.000Z",
    "finished_at": "2026-03-01T12:00:00.031Z",
}
DELIVERY_EXAMPLE: Final = {
    "webhook_id": "msg_2b1c6f7e",
    "state": "delivered",
    "created_at": "2026-03-01T12:00:00.031Z",
    "delivered_at": "2026-03-01T12:00:00.120Z",
    "next_attempt_at": None,
    "attempts": [
        {
            "at": "2026-03-01T12:00:00.040Z",
            "url": "https://example.org/results",
            "status": 200,
            "cause": None,
            "seconds": 0.08,
        }
    ],
}

_RUN_ID: Final = in_path("run_id", "The run’s `id`.", POSITIVE)

_FILTERS: Final = (
    query("compiler", "Runs of this compiler.", one_of(COMPILERS)),
    query("status", "Runs that stand so.", one_of(Run.Status.values)),
    query("outcome", "Runs that ended so.", one_of(OUTCOMES)),
    query("surface", "Runs that came from there.", one_of(Run.Surface.values)),
    query("verdict", "Cases of batches with this verdict.", one_of(VERDICTS)),
    query("key", "Runs of the key of this `id`.", {"type": "integer"}),
    query("batch", "Cases of the batch of this `id`.", {"type": "integer"}),
    query("from", "Made at this moment or later: a date or a time of ISO 8601.", {"type": "string"}),
    query("to", "Made before this moment.", {"type": "string"}),
    query("limit", "Runs in a page; 50 when left out.", {"type": "integer", "minimum": 1, "maximum": MOST}),
    query("cursor", "From `next`.", {"type": "integer"}),
)

OPERATIONS: Final = (
    Operation(
        url="runs_api",
        method="get",
        id="list_runs",
        tag="Runs",
        summary="List runs",
        description="The organisation’s runs, the newest first, a page at a time.",
        parameters=_FILTERS,
        answers={
            200: Answer(
                schema=ref("RunPage"),
                description="A page of them.",
                example={"next": None, "results": [_RUN_EXAMPLE]},
            )
        },
    ),
    Operation(
        url="run_api",
        method="get",
        id="get_run",
        tag="Runs",
        summary="Look at a run",
        description="How a run stands and, once it has ended, its result.",
        parameters=(
            _RUN_ID,
            query(
                "wait",
                "Seconds to wait for the run to end.",
                {"type": "number", "minimum": 0, "maximum": 60},
            ),
            query("extended", "`true` adds the extended fields to the result.", {"type": "boolean"}),
        ),
        answers={
            200: Answer(
                schema=ref("RunDetail"),
                description="The run.",
                example={
                    **_RUN_EXAMPLE,
                    "extra_params": None,
                    "request": {**REQUEST_EXAMPLE, "entrypoint": "main.py"},
                    "result": RESULT_EXAMPLE,
                },
            )
        },
        refused=("not_found",),
    ),
    Operation(
        url="run_api",
        method="delete",
        id="delete_run",
        tag="Runs",
        summary="Remove a run",
        description="Takes a run out of the history for good; one that has not ended is cancelled instead.",
        parameters=(_RUN_ID,),
        answers={
            204: Answer(schema=None, description="It is gone."),
            202: Answer(
                schema=ref("Run"),
                description="It had not ended, and is cancelled.",
                example={**_RUN_EXAMPLE, "status": "cancelled", "outcome": None, "exit_code": None},
            ),
        },
        refused=("not_found",),
    ),
    Operation(
        url="cancel_run_api",
        method="post",
        id="cancel_run",
        tag="Runs",
        summary="Cancel a run",
        description="Ends a run that has not ended, and answers how it stands now.",
        parameters=(_RUN_ID,),
        answers={200: Answer(schema=ref("Run"), description="How it stands now.", example=_RUN_EXAMPLE)},
        refused=("not_found",),
    ),
    Operation(
        url="deliveries_api",
        method="get",
        id="list_deliveries",
        tag="Callbacks",
        summary="Deliveries of a run",
        description="What was sent of a run’s result, and what came of each attempt.",
        parameters=(_RUN_ID,),
        answers={
            200: Answer(schema=array(ref("Delivery")), description="The oldest first.", example=[DELIVERY_EXAMPLE])
        },
        refused=("not_found",),
    ),
    Operation(
        url="resend_api",
        method="post",
        id="resend_deliveries",
        tag="Callbacks",
        summary="Send a result again",
        description="Makes all deliveries of a run due now.",
        parameters=(_RUN_ID,),
        answers={202: Answer(schema=array(ref("Delivery")), description="They are due.", example=[DELIVERY_EXAMPLE])},
        refused=("not_found", "callbacks_paused", "not_kept"),
    ),
)
