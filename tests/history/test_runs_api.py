"""GET /api/runs/ and /api/runs/{id}/, cancel and delete: as their owner sees them, and as a stranger does not."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.utils import timezone

from execution.history_filters import LARGEST_ID
from execution.models import Run
from execution.models.packing import pack
from execution.requests import RunRequest
from execution.sandbox.job import Outcome, OutputFile
from execution.waiting import ended
from tests.cast import Cast, Person
from tests.execution.conftest import Api
from tests.execution.test_errors import check_shape
from tests.history.conftest import MakeRun, request, result

RUNS = "/api/runs/"


def call(person: Person, method: str, path: str, **params: Any) -> httpx.Response:
    response: httpx.Response = async_to_sync(Api(person.api_key).request)(method, path, params=params)
    return response


def get(person: Person, path: str = RUNS, **params: Any) -> dict[str, Any]:
    response = call(person, "GET", path, **params)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def follow(person: Person, answer: dict[str, Any]) -> dict[str, Any]:
    address = httpx.URL(answer["next"])
    assert address.path == RUNS
    return get(person, **dict(address.params))


def ids(answer: dict[str, Any]) -> list[int]:
    return [run["id"] for run in answer["results"]]


def test_a_run_is_told_in_full(cast: Cast, make_run: MakeRun) -> None:
    asked = request("print(input())", input="é\0", extended=True)
    run = make_run(cast.alice, request=pack(asked.to_data()), extra_params=pack({"a": [1]}))
    told = get(cast.alice, f"{RUNS}{run.pk}/")
    assert (told["id"], told["status"], told["surface"], told["compiler"]) == (
        run.pk,
        "finished",
        "sync",
        "python-3.14",
    )
    assert told["key"] == {"id": cast.alice.api_key_row.pk, "kind": "api"}
    assert RunRequest.from_data(told["request"]) == asked
    assert told["extra_params"] == {"a": [1]}
    assert told["result"] == {
        "output": "42\n",
        "error": "",
        "status": "success",
        "exit_code": 0,
        "signal": None,
        "time": "0.2500",
        "total": "0.5000",
        "memory": "8192",
    }
    assert told["created_at"] < told["started_at"] < told["finished_at"]
    assert told["finished_at"].endswith("Z")


def test_it_has_all_fields_of_the_result_on_request(cast: Cast, make_run: MakeRun) -> None:
    came = result(stdout=b"\xff", files=(OutputFile("a.txt", 1, b"x"),))
    run = make_run(cast.alice, result=came)
    told = get(cast.alice, f"{RUNS}{run.pk}", extended="true")["result"]
    assert base64.b64decode(told["output_base64"]) == b"\xff"
    assert told["files"] == [{"path": "a.txt", "size": 1, "base64": "eA=="}]
    assert told["outcome"] == "success"


def test_a_run_that_waits_has_no_result_yet(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.alice, status="queued", surface="async")
    told = get(cast.alice, f"{RUNS}{run.pk}/")
    assert (told["status"], told["result"], told["finished_at"], told["memory"]) == ("queued", None, None, None)


def test_a_run_that_was_refused_says_why(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.alice, status="cancelled", surface="async", refusal_code="run_quota", refusal="All used.")
    assert get(cast.alice, f"{RUNS}{run.pk}/")["error"] == {"code": "run_quota", "message": "All used."}


def test_what_is_not_kept_is_null(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.alice, request=None)
    Run.objects.filter(pk=run.pk).update(stdout=None, stderr=None, compile_output=None)
    told = get(cast.alice, f"{RUNS}{run.pk}/", extended="true")
    assert told["request"] is None
    assert (told["result"]["output"], told["result"]["output_base64"], told["result"]["files"]) == (None, None, None)
    assert (told["result"]["status"], told["result"]["time"]) == ("success", "0.2500")


# --- The list ---


def test_pages_are_cut_by_the_newest_first_and_lead_on(cast: Cast, make_run: MakeRun) -> None:
    made = [make_run(cast.alice).pk for _ in range(5)]
    first = get(cast.alice, limit=2)
    assert ids(first) == made[:2:-1]
    make_run(cast.alice)
    second = follow(cast.alice, first)
    assert ids(second) == made[2:0:-1]
    last = follow(cast.alice, second)
    assert (ids(last), last["next"]) == (made[:1], None)
    assert "request" not in last["results"][0]


def test_filters_choose(cast: Cast, make_run: MakeRun) -> None:
    now = timezone.now()
    plain = make_run(cast.alice).pk
    cpp = make_run(cast.alice, compiler="g++-15").pk
    failed = make_run(cast.alice, result=result(outcome=Outcome.TIME_LIMIT, exit_code=124)).pk
    waiting = make_run(cast.alice, status="queued", surface="async").pk
    other_key = make_run(cast.alice, key_id=987).pk
    old = make_run(cast.alice, created_at=now - timedelta(days=3)).pk
    everything = {plain, cpp, failed, waiting, other_key, old}

    def chosen(**params: Any) -> set[int]:
        return set(ids(get(cast.alice, **params)))

    assert chosen() == everything
    assert chosen(compiler="g++-15") == {cpp}
    assert chosen(outcome="time_limit") == {failed}
    assert chosen(status="queued") == chosen(surface="async") == {waiting}
    assert chosen(key=987) == {other_key}
    yesterday = (now - timedelta(days=1)).isoformat()
    assert chosen(**{"from": yesterday}) == everything - {old}
    assert chosen(to=yesterday) == {old}
    assert chosen(**{"from": f"{now - timedelta(days=4):%Y-%m-%d}", "to": f"{now - timedelta(days=2):%Y-%m-%d}"}) == {
        old
    }
    assert chosen(compiler="python-3.14", status="finished", outcome="success", nothing="x", verdict="") == {
        plain,
        other_key,
        old,
    }


def test_filters_stay_on_the_next_page(cast: Cast, make_run: MakeRun) -> None:
    for _ in range(2):
        make_run(cast.alice, compiler="g++-15")
        make_run(cast.alice)
    since = (timezone.now() - timedelta(hours=1)).isoformat()
    first = get(cast.alice, compiler="g++-15", limit=1, **{"from": since})
    second = follow(cast.alice, first)
    assert [run["compiler"] for run in second["results"]] == ["g++-15"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("compiler", "cobol"),
        ("status", "done"),
        ("outcome", "internal_error"),
        ("surface", "x\0"),
        ("verdict", "ok"),
        ("key", "1.5"),
        ("batch", "9" * 30),
        ("cursor", "x"),
        ("limit", "0"),
        ("limit", "101"),
        ("from", "yesterday"),
        ("from", "2026-13-01"),
        ("to", "0001-01-01T00:00:00+23:00"),
    ],
)
def test_a_filter_that_is_wrong_is_named(cast: Cast, name: str, value: str) -> None:
    response = call(cast.alice, "GET", RUNS, **{name: value})
    assert [error["field"] for error in check_shape(response, 400, "invalid")["errors"]] == [name]


@pytest.mark.parametrize(("name", "value"), [("wait", "61"), ("wait", "-1"), ("wait", "nan"), ("extended", "yes")])
def test_a_parameter_of_a_run_that_is_wrong_is_named(cast: Cast, make_run: MakeRun, name: str, value: str) -> None:
    response = call(cast.alice, "GET", f"{RUNS}{make_run(cast.alice).pk}/", **{name: value})
    assert [error["field"] for error in check_shape(response, 400, "invalid")["errors"]] == [name]


# --- Strangers ---


def test_a_strangers_run_is_not_found(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.charlie, status="queued", surface="async")
    for method, path in [
        ("GET", f"{RUNS}{run.pk}/"),
        ("DELETE", f"{RUNS}{run.pk}/"),
        ("POST", f"{RUNS}{run.pk}/cancel/"),
    ]:
        response = call(cast.alice, method, path)
        unknown = call(cast.alice, method, path.replace(str(run.pk), "987654321"))
        assert check_shape(response, 404, "not_found") == unknown.json()
    run.refresh_from_db()
    assert run.status == "queued"


def test_the_list_holds_the_callers_own_runs_alone(cast: Cast, make_run: MakeRun) -> None:
    foreign = make_run(cast.charlie)
    own = make_run(cast.alice)
    assert ids(get(cast.alice)) == ids(get(cast.bob)) == [own.pk]
    assert ids(get(cast.alice, key=foreign.key_id)) == []


@pytest.mark.parametrize("run_id", ["0", str(LARGEST_ID), str(LARGEST_ID + 1), "9" * 100])
def test_an_id_that_nothing_has_is_not_found(cast: Cast, run_id: str) -> None:
    assert call(cast.alice, "GET", f"{RUNS}{run_id}/").status_code == 404


@pytest.mark.parametrize(("method", "path"), [("GET", RUNS), ("GET", f"{RUNS}1/"), ("POST", f"{RUNS}1/cancel/")])
def test_it_takes_an_api_key(cast: Cast, method: str, path: str) -> None:
    request = async_to_sync(Api(cast.alice.websocket_key).request)
    assert request(method, path).status_code == 403
    assert request(method, path, key="").status_code == 401


# --- Cancel and remove ---


def test_a_run_that_waits_never_runs_once_cancelled(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.alice, status="queued", surface="async")
    response = call(cast.alice, "POST", f"{RUNS}{run.pk}/cancel/")
    assert (response.status_code, response.json()["status"]) == (200, "cancelled")
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert run.finished_at is not None


def test_a_run_that_is_carried_out_is_marked_for_its_worker(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.alice, status="running", surface="async")
    assert call(cast.alice, "POST", f"{RUNS}{run.pk}/cancel/").json()["status"] == "running"
    run.refresh_from_db()
    assert run.cancel_requested


def test_a_run_that_has_ended_stays_as_it_is(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.alice)
    assert call(cast.alice, "POST", f"{RUNS}{run.pk}/cancel/").json()["status"] == "finished"


def test_delete_removes_what_has_ended_and_cancels_what_has_not(cast: Cast, make_run: MakeRun) -> None:
    done, waiting = make_run(cast.alice), make_run(cast.alice, status="queued", surface="async")
    assert call(cast.alice, "DELETE", f"{RUNS}{done.pk}/").status_code == 204
    response = call(cast.alice, "DELETE", f"{RUNS}{waiting.pk}/")
    assert (response.status_code, response.json()["status"]) == (202, "cancelled")
    assert list(Run.objects.values_list("pk", flat=True)) == [waiting.pk]


# --- Waiting ---


async def finish(run: Run) -> None:
    await Run.objects.filter(pk=run.pk).aupdate(status="finished", outcome="success", exit_code=0)


async def test_it_waits_for_a_run_that_ends_in_another_process(cast: Cast, make_run: MakeRun) -> None:
    run = await sync_to_async(make_run)(cast.alice, status="running", surface="async")
    waiting = asyncio.create_task(Api(cast.alice.api_key).request("GET", f"{RUNS}{run.pk}/?wait=60"))
    await asyncio.sleep(0.6)
    assert not waiting.done()
    await finish(run)
    async with asyncio.timeout(30):
        assert (await waiting).json()["status"] == "finished"


async def test_what_ends_in_this_process_is_told_at_once(
    cast: Cast, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("execution.waiting.LOOK_SECONDS", 3600.0)
    runs = [await sync_to_async(make_run)(cast.alice, status="running", surface="async") for _ in range(3)]
    waiting = [
        asyncio.create_task(Api(cast.alice.api_key).request("GET", f"{RUNS}{run.pk}/?wait=60")) for run in runs[:2]
    ]
    await asyncio.sleep(0.5)
    for run in runs:
        await finish(run)
        ended(Run, run.pk)
    async with asyncio.timeout(30):
        assert [answer.json()["status"] for answer in await asyncio.gather(*waiting)] == ["finished"] * 2


async def test_it_answers_how_a_run_stands_when_the_time_is_over(cast: Cast, make_run: MakeRun) -> None:
    run = await sync_to_async(make_run)(cast.alice, status="running", surface="async")
    answer = await Api(cast.alice.api_key).request("GET", f"{RUNS}{run.pk}/?wait=0.3")
    assert answer.json()["status"] == "running"
