"""Batches: one program on many inputs."""

from typing import Any, Final

from execution.answer_schemas import RESULT_FIELDS
from execution.batch_requests import BatchRequestSerializer
from execution.catalogue import COMPILERS
from execution.fields import body_schema
from execution.history_filters import MOST, OUTCOMES
from execution.models import Batch
from execution.openapi.operation import Answer, Operation
from execution.openapi.parts import (
    POSITIVE,
    Schema,
    array,
    closed,
    in_path,
    moment,
    nullable,
    query,
    ref,
    text,
    whole,
)
from execution.openapi.subjects.history import DELIVERY_EXAMPLE, VERDICTS
from execution.openapi.subjects.programs import RESULT_EXAMPLE

_BATCH: Final[dict[str, Schema]] = {
    "id": whole(minimum=1),
    "status": text("How the batch stands.", enum=list(Batch.Status.values)),
    "compiler": text(enum=list(COMPILERS)),
    "tests": whole("How many there are.", minimum=1),
    "done": whole("How many have ended.", minimum=0),
    "accepted": whole("How many were right.", minimum=0),
    "score": {
        "type": ["number", "null"],
        "minimum": 0,
        "maximum": 1,
        "description": "The share of right ones among those that are judged; null when none is.",
    },
    "verdict": nullable(text("Of the first test that failed, else `accepted`.", enum=list(VERDICTS))),
    "compile_output": nullable(text("What the compiler said, the first 999 characters.")),
    "checker_error": nullable(text("What a checker said that has not judged.")),
    "error": nullable(closed({"code": text(), "message": text()}, description="Why it ended before its last test.")),
    "extra_params": {"type": ["object", "null"], "description": "What the request carried."},
    "created_at": moment("When it was made."),
    "started_at": nullable(moment("When it was started.")),
    "finished_at": nullable(moment("When it ended.")),
}
_RESULTS: Final[Schema] = {
    "results": {**array(ref("TestResult")), "description": "The tests that have ended, in order."}
}

SCHEMAS: Final[dict[str, Schema]] = {
    "BatchRequest": body_schema(BatchRequestSerializer()),
    "Batch": closed(_BATCH),
    "BatchDetail": {**closed(_BATCH), "properties": {**_BATCH, "results": _RESULTS}},
    "TestResult": closed(
        {
            "position": whole("The test’s place, from 0.", minimum=0),
            "verdict": nullable(text("Null when the output is not judged.", enum=list(VERDICTS))),
            **RESULT_FIELDS,
            "output": nullable(RESULT_FIELDS["output"]),
            "error": nullable(RESULT_FIELDS["error"]),
            "outcome": text("How the run ended.", enum=list(OUTCOMES)),
            "cpu_time": text("Seconds of processor time."),
            "checker_output": nullable(text("What the checker printed.")),
        }
    ),
    "BatchPage": closed(
        {"next": nullable(text("The address of the following page.", format="uri")), "results": array(ref("Batch"))}
    ),
}

_BATCH_EXAMPLE: Final[dict[str, Any]] = {
    "id": 7,
    "status": "finished",
    "compiler": "python-3.14",
    "tests": 1,
    "done": 1,
    "accepted": 1,
    "score": 1.0,
    "verdict": "accepted",
    "compile_output": "",
    "checker_error": None,
    "error": None,
    "extra_params": None,
    "created_at": "2026-03-01T12:00:00.000Z",
    "started_at": "2026-03-01T12:00:00.000Z",
    "finished_at": "2026-03-01T12:00:00.621Z",
}
_DETAIL_EXAMPLE: Final[dict[str, Any]] = {
    **_BATCH_EXAMPLE,
    "results": [
        {
            "position": 0,
            "verdict": "accepted",
            **RESULT_EXAMPLE,
            "outcome": "success",
            "cpu_time": "0.0018",
            "checker_output": None,
        }
    ],
}
_ID: Final = in_path("batch_id", "The batch’s `id`.", POSITIVE)

OPERATIONS: Final = (
    Operation(
        url="run_code_batch",
        method="post",
        id="run_code_batch",
        tag="Batches",
        summary="Run a batch",
        description="Runs one program on up to 1,000 inputs and judges each output. With `async` it is queued; with "
        "`Accept: application/x-ndjson` each test is told as it ends.",
        body=ref("BatchRequest"),
        example={
            "compiler": "python-3.14",
            "code": "print(input()[::-1])",
            "tests": [{"input": "olleh", "expected": "hello"}],
        },
        answers={
            200: Answer(schema=ref("BatchDetail"), description="How each test ended.", example=_DETAIL_EXAMPLE),
            202: Answer(schema=ref("Queued"), description="It is queued.", example={"status": "queued", "id": 7}),
        },
        counted=True,
        repeatable=True,
        refused=("queue_full",),
    ),
    Operation(
        url="batches_api",
        method="get",
        id="list_batches",
        tag="Batches",
        summary="List batches",
        description="The organisation’s batches, the newest first, a page at a time.",
        parameters=(
            query("limit", "Batches in a page; 50 when left out.", {"type": "integer", "minimum": 1, "maximum": MOST}),
            query("cursor", "From `next`.", {"type": "integer"}),
        ),
        answers={
            200: Answer(
                schema=ref("BatchPage"),
                description="A page of them.",
                example={"next": None, "results": [_BATCH_EXAMPLE]},
            )
        },
    ),
    Operation(
        url="batch_api",
        method="get",
        id="get_batch",
        tag="Batches",
        summary="Look at a batch",
        description="How a batch stands, with the tests that have ended.",
        parameters=(
            _ID,
            query("wait", "Seconds to wait for its end.", {"type": "number", "minimum": 0, "maximum": 60}),
            query("results", "`false` leaves the results out.", {"type": "boolean"}),
        ),
        answers={200: Answer(schema=ref("BatchDetail"), description="The batch.", example=_DETAIL_EXAMPLE)},
        refused=("not_found",),
    ),
    Operation(
        url="batch_api",
        method="delete",
        id="delete_batch",
        tag="Batches",
        summary="Remove a batch",
        description="Takes a batch out of the history, with its tests; one that has not ended is cancelled instead.",
        parameters=(_ID,),
        answers={
            204: Answer(schema=None, description="It is gone."),
            202: Answer(schema=ref("Batch"), description="It had not ended, and is cancelled.", example=_BATCH_EXAMPLE),
        },
        refused=("not_found",),
    ),
    Operation(
        url="cancel_batch_api",
        method="post",
        id="cancel_batch",
        tag="Batches",
        summary="Cancel a batch",
        description="Ends a batch that has not ended, and answers how it stands now.",
        parameters=(_ID,),
        answers={200: Answer(schema=ref("Batch"), description="How it stands now.", example=_BATCH_EXAMPLE)},
        refused=("not_found",),
    ),
    Operation(
        url="batch_deliveries_api",
        method="get",
        id="list_batch_deliveries",
        tag="Callbacks",
        summary="Deliveries of a batch",
        description="What was sent of a batch’s result, and what came of each attempt.",
        parameters=(_ID,),
        answers={
            200: Answer(schema=array(ref("Delivery")), description="The oldest first.", example=[DELIVERY_EXAMPLE])
        },
        refused=("not_found",),
    ),
    Operation(
        url="resend_batch_api",
        method="post",
        id="resend_batch_deliveries",
        tag="Callbacks",
        summary="Send a batch’s result again",
        description="Makes all deliveries of a batch due now.",
        parameters=(_ID,),
        answers={202: Answer(schema=array(ref("Delivery")), description="They are due.", example=[DELIVERY_EXAMPLE])},
        refused=("not_found", "callbacks_paused", "not_kept"),
    ),
)
