"""POST /api/run-code-batch/ with a client that waits: verdicts, limits, checkers, what is counted."""

import asyncio
import json
from uuid import uuid4

import pytest

from billing.periods import current_month
from billing.plans import FREE
from billing.usage import ausage_of
from execution.batch_requests import BatchRequest, Case
from execution.batches import answers
from execution.batches.cases import run_cases
from execution.batches.judging import Judged, checker_request
from execution.models import Batch, Run
from execution.requests import RunRequest
from execution.runs import run_code
from tests.batches.conftest import BATCH, CPP_DOUBLE, BatchApi, verdicts
from tests.billing.runs import caller_of
from tests.cast import Cast
from tests.execution.test_errors import check_shape
from tests.execution.test_run_code_sync import EIGHT

SLEEPS = {"compiler": "python-3.14", "code": "import time; time.sleep(float(input())); print(1)"}


async def runs_used(cast: Cast) -> int:
    usage = await ausage_of(cast.alice.organisation.pk)
    return usage.runs_used


async def test_each_test_has_its_verdict_and_the_batch_a_score(api: BatchApi) -> None:
    answer = await api.batch(
        {"input": "21", "expected": "42"},
        {"input": "4", "expected": "9"},
        {"input": "x", "expected": "1"},
        {"input": "5", "expected": "10\n\n"},
    )
    assert verdicts(answer) == ["accepted", "wrong_answer", "runtime_error", "accepted"]
    assert (answer["status"], answer["tests"], answer["done"], answer["accepted"]) == ("finished", 4, 4, 2)
    assert (answer["score"], answer["verdict"], answer["error"]) == (0.5, "wrong_answer", None)
    first = answer["results"][0]
    assert first.keys() == EIGHT | {"position", "verdict", "outcome", "cpu_time", "checker_output"}
    assert (first["position"], first["output"], first["exit_code"], first["outcome"]) == (0, "42\n", 0, "success")
    assert 0 < float(first["cpu_time"]) < 30
    assert "ValueError" in answer["results"][2]["error"]


async def test_without_an_expectation_only_failures_have_a_verdict(api: BatchApi) -> None:
    answer = await api.batch({"input": "1"}, {"input": "x"}, {})
    assert verdicts(answer) == [None, "runtime_error", "runtime_error"]
    assert (answer["score"], answer["verdict"]) == (None, "runtime_error")
    good = await api.batch({"input": "1"})
    assert (good["score"], good["verdict"], good["accepted"]) == (None, None, 0)


async def test_limits_are_those_of_the_test(api: BatchApi) -> None:
    code = "import sys\nn = int(input())\nif n: x = bytearray(n * 1024 ** 2)\nelse:\n  while True: pass"
    answer = await api.batch(
        {"input": "0", "expected": "", "time_limit": 0.5},
        {"input": "100", "expected": "", "memory_limit": 64},
        {"input": "100", "expected": ""},
        code=code,
    )
    assert verdicts(answer) == ["time_limit", "memory_limit", "accepted"]


async def test_output_without_end_is_a_runtime_error(api: BatchApi) -> None:
    answer = await api.batch({"expected": "1"}, code="while True: print('x' * 10000)")
    assert (verdicts(answer), answer["results"][0]["outcome"]) == (["runtime_error"], "output_limit")


async def test_arguments_are_those_of_the_test_or_of_the_batch(api: BatchApi) -> None:
    answer = await api.batch(
        {"expected": "['a']"},
        {"args": ["b", "c"], "expected": "['b', 'c']"},
        code="import sys; print(sys.argv[1:])",
        args=["a"],
    )
    assert verdicts(answer) == ["accepted", "accepted"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"compare": "exact"}, ["wrong_answer", "wrong_answer"]),
        ({"compare": "trimmed"}, ["accepted", "wrong_answer"]),
        ({"compare": "numeric", "tolerance": 0.1}, ["accepted", "accepted"]),
    ],
)
async def test_it_compares_as_asked(api: BatchApi, fields: dict[str, object], expected: list[str]) -> None:
    answer = await api.batch({"expected": "3.14 "}, {"expected": "3.1"}, code="print(3.14)", **fields)
    assert verdicts(answer) == expected


async def test_a_large_output_is_compared_whole(api: BatchApi) -> None:
    expected = "x" * 200_000
    answer = await api.batch({"expected": expected}, {"expected": expected + "y"}, code="print('x' * 200_000)")
    assert verdicts(answer) == ["accepted", "wrong_answer"]
    assert answer["results"][0]["output"] == "x" * 999


async def test_outputs_that_nobody_is_shown_are_let_go(api: BatchApi, cast: Cast) -> None:
    code = "import sys; print('é' * 500_000); print('ö' * 300_000, file=sys.stderr)"
    data = {"compiler": "python-3.14", "code": code, "tests": [{"expected": "é" * 500_000}]}
    judged: list[Judged] = []
    caller = caller_of(cast.alice.organisation.pk)
    await run_cases(BatchRequest.from_data(data), batch_id=uuid4(), caller=caller, at_once=1, on_case=judged.append)
    (one,) = judged
    assert one.verdict == "accepted"
    assert len(one.result.stdout) + len(one.result.stderr) < 10_000
    told = answers.test_of(one)
    assert (told["output"], told["error"]) == ("é" * 999, "ö" * 999)


async def test_it_stops_at_the_first_failure_where_asked(api: BatchApi) -> None:
    tests = [{"input": "x", "expected": "1"}, *[{"input": str(n), "expected": str(2 * n)} for n in range(5)]]
    answer = await api.batch(*tests, stop_on_failure=True)
    assert (answer["done"], answer["tests"], answer["verdict"]) == (1, 6, "runtime_error")
    whole = await api.batch(*tests)
    assert (whole["done"], whole["accepted"]) == (6, 5)


async def test_a_program_is_compiled_once_for_all_tests(api: BatchApi) -> None:
    tests = [{"input": str(n), "expected": str(2 * n)} for n in range(20)]
    answer = await api.batch(*tests, **CPP_DOUBLE)
    assert set(verdicts(answer)) == {"accepted"}
    assert (answer["score"], answer["verdict"]) == (1.0, "accepted")
    assert [test["position"] for test in answer["results"]] == list(range(20))
    rows = [run async for run in Run.objects.order_by("position")]
    assert [run.cached for run in rows] == [False] + [True] * 19


async def test_a_program_that_does_not_compile_ends_the_batch_once(api: BatchApi, cast: Cast) -> None:
    answer = await api.batch({"input": "1"}, {"input": "2"}, compiler="g++-15", code="int main() { return nothing; }")
    assert (answer["verdict"], answer["done"], answer["tests"]) == ("compile_error", 1, 2)
    assert verdicts(answer) == ["compile_error"]
    assert "nothing" in answer["compile_output"]
    assert await runs_used(cast) == 1


async def test_warnings_of_the_compiler_are_told_once(api: BatchApi) -> None:
    code = "#warning careful\nint main(void) { return 0; }"
    answer = await api.batch({}, {}, compiler="gcc-15", code=code)
    assert "careful" in answer["compile_output"]
    assert answer["status"] == "finished"


# --- Checkers ---

CHECKER = """
import sys
given, output, expected = (open(name).read().split() for name in sys.argv[1:])
print("saw", given, output, expected)
sys.exit(0 if sorted(output) == sorted(expected) else 1)
"""


async def test_a_checker_judges(api: BatchApi, cast: Cast) -> None:
    answer = await api.batch(
        {"input": "1 2", "expected": "2 1"},
        {"input": "1 2", "expected": "1 3"},
        {"input": "x"},
        code="print(*map(int, input().split()))",
        checker={"compiler": "python-3.14", "code": CHECKER},
    )
    assert verdicts(answer) == ["accepted", "wrong_answer", "runtime_error"]
    assert answer["results"][0]["checker_output"] == "saw ['1', '2'] ['1', '2'] ['2', '1']\n"
    assert answer["results"][2]["checker_output"] is None
    assert answer["score"] == 0.3333
    # Three programs and two checkers.
    assert await runs_used(cast) == 5


async def test_a_compiled_checker_is_compiled_once_for_all_that_it_sees(api: BatchApi, cast: Cast) -> None:
    checker = """
    #include <fstream>
    int main(int, char **argv) { int a, b; std::ifstream(argv[2]) >> a; std::ifstream(argv[3]) >> b; return a != b; }
    """
    tests = [{"input": str(n), "expected": str(2 * n)} for n in range(10)]
    answer = await api.batch(*tests, checker={"compiler": "g++-15", "code": checker})
    assert set(verdicts(answer)) == {"accepted"}
    request = checker_request(
        RunRequest.from_data({"compiler": "g++-15", "code": checker}), Case(input=b"77", expected=b"154"), b"154\n"
    )
    again = await run_code(caller=caller_of(cast.alice.organisation.pk), request=request)
    assert (again.result.cached, again.result.exit_code) == (True, 0)


@pytest.mark.parametrize(
    ("code", "message", "shown"),
    [
        ("import sys; print('why', file=sys.stderr); sys.exit(3)", "exit code 3", "why"),
        ("import os; os.kill(os.getpid(), 11)", "signal 11", ""),
        ("while True: pass", "time_limit", ""),
    ],
)
async def test_a_checker_that_gives_no_judgement_ends_the_batch(
    api: BatchApi, code: str, message: str, shown: str
) -> None:
    checker = {"compiler": "python-3.14", "code": code, "time_limit": 0.5}
    answer = await api.batch({"input": "1"}, {"input": "2"}, checker=checker)
    assert (answer["status"], answer["error"]["code"], answer["done"]) == ("finished", "checker_failed", 0)
    assert message in answer["error"]["message"]
    assert shown in answer["checker_error"]


async def test_a_checker_that_does_not_compile_says_so(api: BatchApi) -> None:
    answer = await api.batch({"input": "1"}, checker={"compiler": "gcc-15", "code": "int main(void) { return x; }"})
    assert answer["error"] == {"code": "checker_failed", "message": "The checker does not compile."}
    assert "undeclared" in answer["checker_error"]


# --- What is counted and refused ---


async def test_each_test_counts_as_one_run(api: BatchApi, cast: Cast) -> None:
    response = await api.send({"input": "1"}, {"input": "2"}, {"input": "3"})
    assert '"runs";q=5000' in response.headers["RateLimit-Policy"]
    assert await runs_used(cast) == 3


async def test_it_takes_one_place_of_the_key_while_it_runs(api: BatchApi) -> None:
    held = [asyncio.create_task(api.send({"input": "30"}, **SLEEPS)) for _ in range(FREE.sync_concurrency)]
    await asyncio.sleep(1)
    refused = await api.send({"input": "1"})
    assert check_shape(refused, 429, "concurrency_limit")["message"].startswith("This key runs 4 programs already")
    for task in held:
        task.cancel()
    await asyncio.wait(held)


async def test_a_batch_that_the_month_cannot_hold_is_refused_whole(api: BatchApi, cast: Cast) -> None:
    month = current_month()
    await cast.alice.organisation.usage_periods.acreate(
        start=month.starts_at, end=month.ends_at, runs=FREE.runs_per_month - 3
    )
    refused = await api.send(*[{"input": "1"}] * 4)
    check_shape(refused, 429, "run_quota")
    assert (await api.batch(*[{"input": "1"}] * 3))["done"] == 3
    assert await runs_used(cast) == FREE.runs_per_month
    assert await Batch.objects.acount() == 1


async def test_bad_input_is_named_and_nothing_is_counted(api: BatchApi, cast: Cast) -> None:
    refused = await api.send({"input": "1"}, {"input": 1}, stop_on_failure=1)
    fields = {error["field"] for error in check_shape(refused, 400, "invalid")["errors"]}
    assert fields == {"tests.1.input", "stop_on_failure"}
    assert await runs_used(cast) == 0
    assert not await Batch.objects.aexists()


async def test_a_callback_needs_somewhere_to_go(api: BatchApi) -> None:
    refused = await api.send({"input": "1"}, callback=True, **{"async": True})
    assert [error["field"] for error in check_shape(refused, 400, "invalid")["errors"]] == ["callback"]


@pytest.mark.parametrize("path", [BATCH, BATCH.rstrip("/")])
async def test_it_takes_an_api_key_alone(api: BatchApi, cast: Cast, path: str) -> None:
    body = {"compiler": "python-3.14", "code": "", "tests": [{}]}
    assert (await api.request("POST", path, key=cast.alice.websocket_key, json=body)).status_code == 403
    assert (await api.request("POST", path, key="", json=body)).status_code == 401


# --- Live progress ---


async def test_tests_are_told_one_by_one_where_asked(api: BatchApi) -> None:
    tests = [{"input": str(n), "expected": str(2 * n)} for n in range(6)]
    response = await api.send(*tests, headers={"Accept": "application/x-ndjson"})
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert "RateLimit" in response.headers
    first, *middle, last = [json.loads(line) for line in response.text.splitlines()]
    assert (first["type"], first["tests"]) == ("batch", 6)
    assert {test["type"] for test in middle} == {"test"}
    assert sorted(test["position"] for test in middle) == list(range(6))
    assert (last["type"], last["id"], last["accepted"], last["verdict"]) == ("end", first["id"], 6, "accepted")
    assert "results" not in last


async def test_a_stream_is_refused_by_its_status(api: BatchApi) -> None:
    refused = await api.send({"input": 1}, headers={"Accept": "application/x-ndjson"})
    check_shape(refused, 400, "invalid")


# --- Sent again ---


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_a_batch_that_is_sent_again_runs_once(api: BatchApi, cast: Cast, asynchronous: bool) -> None:
    headers = {"Idempotency-Key": "a", "Accept": "application/x-ndjson"}
    answers = [await api.send({"input": "1"}, headers=headers, **{"async": asynchronous}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    await api.get(f"/api/batches/{answers[0].json()['id']}/?wait=60")
    assert (await Batch.objects.acount(), await runs_used(cast)) == (1, 1)
    other = await api.send({"input": "2"}, headers=headers)
    check_shape(other, 409, "idempotency_conflict")


async def test_a_batch_whose_answer_was_lost_is_carried_out_anew_and_billed_once(api: BatchApi, cast: Cast) -> None:
    headers = {"Idempotency-Key": "a"}
    lost = asyncio.create_task(api.send({"input": "0"}, {"input": "2"}, headers=headers, **SLEEPS))
    while not await Run.objects.aexists():
        await asyncio.sleep(0.05)
    lost.cancel()
    await asyncio.wait([lost])
    answer = (await api.send({"input": "0"}, {"input": "2"}, headers=headers, **SLEEPS)).json()
    assert (answer["status"], answer["done"]) == ("finished", 2)
    assert (await Batch.objects.acount(), await runs_used(cast)) == (1, 2)


# --- What is kept ---


async def test_a_batch_and_its_tests_stay_in_the_history(api: BatchApi) -> None:
    answer = await api.batch({"input": "21", "expected": "42"}, {"input": "x", "expected": ""}, extra_params={"a": 1})
    assert answer["extra_params"] == {"a": 1}
    told = await api.get(f"/api/batches/{answer['id']}/")
    assert told == answer
    runs = (await api.get(f"/api/runs/?batch={answer['id']}"))["results"]
    assert [(run["surface"], run["batch"]["position"], run["verdict"]) for run in runs] == [
        ("batch", 1, "runtime_error"),
        ("batch", 0, "accepted"),
    ]
    one = await api.get(f"/api/runs/{runs[1]['id']}/")
    assert one["result"]["output"] == "42\n"
    assert (one["request"]["code"], one["request"]["input"]) == ("print(int(input()) * 2)", "21")


async def test_what_is_not_kept_is_not_stored(api: BatchApi, cast: Cast) -> None:
    organisation = cast.alice.organisation
    organisation.keep_sources = organisation.keep_outputs = False
    await organisation.asave()
    answer = await api.batch({"input": "21", "expected": "42"})
    assert answer["results"][0]["output"] == "42\n"
    batch, run = await Batch.objects.aget(), await Run.objects.aget()
    assert (batch.request, batch.compile_output, run.request, run.stdout) == (None, None, None, None)
    told = await api.get(f"/api/batches/{answer['id']}/")
    assert (told["results"][0]["output"], told["results"][0]["verdict"]) == (None, "accepted")
    assert (await api.get(f"/api/runs/{run.pk}/"))["request"] is None


async def test_a_client_that_goes_away_ends_the_batch(api: BatchApi, cast: Cast) -> None:
    sent = asyncio.create_task(api.send({"input": "0"}, {"input": "30"}, {"input": "30"}, **SLEEPS))
    while not await Run.objects.aexists():
        await asyncio.sleep(0.05)
    sent.cancel()
    await asyncio.wait([sent])
    async with asyncio.timeout(20):
        while (await Batch.objects.aget()).status != "cancelled":
            await asyncio.sleep(0.05)
    assert await runs_used(cast) == 1


async def test_a_waiting_client_can_be_told_that_somebody_cancelled(api: BatchApi) -> None:
    sent = asyncio.create_task(api.send({"input": "0"}, {"input": "30"}, **SLEEPS))
    while not await Run.objects.aexists():
        await asyncio.sleep(0.05)
    batch = await Batch.objects.aget()
    response = await api.request("POST", f"/api/batches/{batch.pk}/cancel/")
    assert response.json()["status"] == "running"
    async with asyncio.timeout(20):
        answer = (await sent).json()
    assert (answer["status"], answer["done"]) == ("cancelled", 1)
