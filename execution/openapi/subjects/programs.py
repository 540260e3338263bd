"""Running programs, and the compilers that there are."""

from typing import Final

from execution.answer_schemas import COMPILER, EXTENDED_FIELDS, RESULT_FIELDS, V1_RESULT
from execution.async_runs.requests import AsyncSerializer
from execution.fields import body_schema
from execution.openapi.operation import Answer, Operation
from execution.openapi.parts import Schema, array, closed, ref, text, whole
from execution.requests import RunRequestSerializer
from execution.v1_requests import V1ExecuteSerializer

RESULT_EXAMPLE: Final = {
    "output": "hello\n",
    "error": "",
    "status": "success",
    "exit_code": 0,
    "signal": None,
    "time": "0.0248",
    "total": "0.0248",
    "memory": "8192",
}
REQUEST_EXAMPLE: Final = {"compiler": "python-3.14", "code": "print(input()[::-1])", "input": "olleh"}
_DELIVERY_EXAMPLE: Final = {
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

_RUN_REQUEST: Final = body_schema(RunRequestSerializer())
RESULT: Final[Schema] = {**closed(RESULT_FIELDS), "properties": {**RESULT_FIELDS, **EXTENDED_FIELDS}}

SCHEMAS: Final[dict[str, Schema]] = {
    "RunRequest": _RUN_REQUEST,
    "AsyncRunRequest": {
        **_RUN_REQUEST,
        "properties": {**_RUN_REQUEST["properties"], **body_schema(AsyncSerializer())["properties"]},
    },
    "Result": RESULT,
    "Queued": closed({"status": text(enum=["queued"]), "id": whole("The run’s.", minimum=1)}),
    "V1Request": body_schema(V1ExecuteSerializer()),
    "V1Result": V1_RESULT,
    "Compiler": COMPILER,
}

OPERATIONS: Final = (
    Operation(
        url="run_code_sync",
        method="post",
        id="run_code_sync",
        tag="Run code",
        summary="Run code and wait",
        description="Runs a program to its end and answers with its result. A program that fails is a 200 too.",
        body=ref("RunRequest"),
        example=REQUEST_EXAMPLE,
        answers={
            200: Answer(schema=ref("Result"), description="How the program ended.", example=RESULT_EXAMPLE),
        },
        counted=True,
        repeatable=True,
    ),
    Operation(
        url="run_code",
        method="post",
        id="run_code",
        tag="Run code",
        summary="Run code later",
        description="Queues a run. Its result is sent to the key’s redirect URL, or fetched when `poll` is true.",
        body=ref("AsyncRunRequest"),
        example={**REQUEST_EXAMPLE, "poll": True},
        answers={
            202: Answer(schema=ref("Queued"), description="It is queued.", example={"status": "queued", "id": 1026}),
        },
        refused=("queue_full",),
        counted=True,
        repeatable=True,
    ),
    Operation(
        url="v1_execute",
        method="post",
        id="v1_execute",
        tag="Run code",
        summary="Execute",
        description="The same as running code and waiting, in the words of another protocol.",
        body=ref("V1Request"),
        example={"runtime": "python", "code": "print(input()[::-1])", "stdin": "olleh"},
        answers={
            200: Answer(
                schema=ref("V1Result"),
                description="How the program ended.",
                example={
                    "data": {
                        "stdout": "hello\n",
                        "stderr": "",
                        "exitCode": 0,
                        "executionTime": 25,
                        "timedOut": False,
                    }
                },
            ),
        },
        counted=True,
        repeatable=True,
    ),
    Operation(
        url="compilers",
        method="get",
        id="list_compilers",
        tag="Compilers",
        summary="List the compilers",
        description="Every compiler that this service knows, and whether it can run here now.",
        answers={
            200: Answer(
                schema=array(ref("Compiler")),
                description="All of them.",
                example=[
                    {
                        "id": "python-3.14",
                        "language": "Python",
                        "name": "Python 3.14",
                        "version": "3.14.2",
                        "stand_in": False,
                        "available": True,
                        "file_name": "main.py",
                        "editor_mode": "python",
                        "sample": 'print("Hello, World!")\n',
                        "stateful": True,
                    }
                ],
            )
        },
        keyed=False,
    ),
)
