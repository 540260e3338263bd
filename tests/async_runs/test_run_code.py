"""POST /api/run-code/: a run is queued at once, and its result sent to the key's redirect URL."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async

from accounts.key_lifecycle import change_api_key, revoke_api_key
from billing.models import RunCharge
from billing.plans import FREE
from execution.async_runs.service import queue_service
from execution.callbacks.courier import courier_service
from execution.callbacks.endpoints import endpoint_of
from execution.models import Delivery, Run
from tests.billing.runs import flush

PATH = "/api/run-code/"
PROGRAM = {"compiler": "python-3.14", "code": "print(input()[::-1])", "input": "olleh"}
EIGHT = {"output", "error", "status", "exit_code", "signal", "time", "total", "memory"}


async def send_to(person, url):
    key = person.api_key_row
    await sync_to_async(change_api_key)(key=key, name=key.name, redirect_url=url)


async def queue(api, **fields):
    response = await api.request("POST", PATH, json={**PROGRAM, **fields})
    assert response.status_code == 202, response.text
    return response.json()["id"]


async def until(condition, patience=60.0):
    async with asyncio.timeout(patience):
        while not await condition():
            await asyncio.sleep(0.05)


async def ended(run_id):
    await until(Run.objects.filter(pk=run_id, status__in=["finished", "cancelled"]).aexists)
    return await Run.objects.aget(pk=run_id)


async def received(receiver, number=1):
    await asyncio.to_thread(receiver.wait_for, number)
    return receiver.received


async def secret_of(person):
    return (await sync_to_async(endpoint_of)(person.api_key_row.pk)).secret


async def test_a_result_is_sent_signed_to_the_keys_redirect_url(api, cast, receiver, served):
    await send_to(cast.alice, receiver.url)
    response = await api.request("POST", PATH, json={**PROGRAM, "extra_params": {"order": [1, "é\0"]}})
    assert response.status_code == 202
    assert response.json() == {"status": "queued", "id": response.json()["id"]}
    assert response.json()["id"] > 0
    assert '"runs";r=4999;' in response.headers["RateLimit"]

    (message,) = await received(receiver)
    body = message.verified(await secret_of(cast.alice))
    assert body.keys() == EIGHT | {"extra_params", "id"}
    assert (body["output"], body["status"], body["exit_code"]) == ("hello\n", "success", 0)
    assert (body["id"], body["extra_params"]) == (response.json()["id"], {"order": [1, "é\0"]})
    assert message.path == "/results"
    assert message.headers["Content-Type"] == "application/json"


async def test_the_run_is_a_row_before_the_answer_leaves(api, cast, receiver):
    await send_to(cast.alice, receiver.url)
    run_id = await queue(api, extra_params={"a": 1}, extended=True)
    run = await cast.alice.organisation.runs.aget(pk=run_id)
    assert (run.status, run.surface, run.compiler) == ("queued", "async", "python-3.14")
    assert (run.key_id, run.key_kind) == (cast.alice.api_key_row.pk, "api")
    assert run.request_data == {**PROGRAM, "entrypoint": "main.py", "extended": True}
    assert run.extra_params_data == {"a": 1}


async def test_a_run_is_billed_once_under_its_own_id(api, cast, served):
    run = await ended(await queue(api, poll=True))
    await flush()
    charge = await RunCharge.objects.aget()
    assert (charge.pk, charge.compiler, charge.outcome) == (run.uuid, "python-3.14", "success")
    assert charge.organisation_id == cast.alice.organisation.pk


async def test_a_key_without_a_redirect_url_is_told_so(api):
    response = await api.request("POST", PATH, json=PROGRAM)
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert [error["field"] for error in response.json()["errors"]] == ["redirect_url"]
    assert not await Run.objects.aexists()


async def test_a_polled_run_needs_no_redirect_url_and_is_not_sent(api, cast, receiver, served):
    run = await ended(await queue(api, poll=True))
    assert (run.outcome, bytes(run.stdout), run.attempts) == ("success", b"hello\n", 1)
    assert run.created_at <= run.started_at <= run.finished_at

    await send_to(cast.alice, receiver.url)
    await ended(await queue(api, poll=True))
    assert not await Delivery.objects.aexists()


async def test_an_extended_result_is_sent_extended(api, cast, receiver, served):
    await send_to(cast.alice, receiver.url)
    await queue(api, code="open('a.txt', 'w').write('a')", extended=True, output_files=["a.txt"])
    body = json.loads((await received(receiver))[0].body)
    assert (body["outcome"], body["extra_params"]) == ("success", None)
    assert [file["path"] for file in body["files"]] == ["a.txt"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"compiler": "cobol"}, "compiler"),
        ({"extra_params": []}, "extra_params"),
        ({"extra_params": {"a": "x" * 102_400}}, "extra_params"),
        ({"extra_params": json.loads('{"a":' * 100 + "1" + "}" * 100)}, "extra_params"),
        ({"poll": "yes"}, "poll"),
        ({"input": 1}, "input"),
    ],
)
async def test_what_is_wrong_with_a_body_is_told_at_once(api, fields, field):
    response = await api.request("POST", PATH, json={**PROGRAM, **fields})
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert not await Run.objects.aexists()


async def test_a_websocket_key_queues_nothing(api, cast):
    response = await api.request("POST", PATH, json=PROGRAM, key=cast.alice.websocket_key)
    assert (response.status_code, response.json()["code"]) == (403, "wrong_key_kind")


async def test_a_program_that_fails_is_a_result(api, cast, receiver, served):
    await send_to(cast.alice, receiver.url)
    await queue(api, compiler="gcc-15", code="int main() { return nothing; }")
    await queue(api, code="exit(3)")
    bodies = [json.loads(message.body) for message in await received(receiver, 2)]
    assert sorted(body["exit_code"] for body in bodies) == [1, 3]
    assert {body["status"] for body in bodies} == {"error"}


async def test_more_runs_than_the_month_holds_are_refused_at_once(api, cast):
    waiting = [
        Run(organisation=cast.alice.organisation, key_id=1, key_kind="api", surface="async", compiler="gcc-15")
        for _ in range(FREE.runs_per_month)
    ]
    await Run.objects.abulk_create(waiting, batch_size=500)
    response = await api.request("POST", PATH, json={**PROGRAM, "poll": True})
    assert (response.status_code, response.json()["code"]) == (429, "run_quota")
    assert int(response.headers["Retry-After"]) > 0
    assert await Run.objects.acount() == FREE.runs_per_month


async def test_a_queue_has_an_end(api, monkeypatch):
    monkeypatch.setattr("execution.async_runs.accepting.MOST_WAITING", 2)
    for _ in range(2):
        await queue(api, poll=True)
    response = await api.request("POST", PATH, json={**PROGRAM, "poll": True})
    assert (response.status_code, response.json()["code"]) == (429, "queue_full")
    assert response.headers["Retry-After"] == "10"


async def test_queued_runs_take_none_of_their_keys_places(api, cast, served):
    runs = [await queue(api, code="import time; time.sleep(1)", poll=True) for _ in range(6)]
    assert {(await ended(run_id)).outcome for run_id in runs} == {"success"}


async def test_an_organisation_that_keeps_nothing_gets_its_result_all_the_same(api, cast, receiver, served):
    organisation = cast.alice.organisation
    organisation.keep_sources = organisation.keep_outputs = False
    await organisation.asave()
    await send_to(cast.alice, receiver.url)
    run_id = await queue(api, extra_params={"a": 1})
    body = json.loads((await received(receiver))[0].body)
    assert (body["output"], body["extra_params"]) == ("hello\n", {"a": 1})
    await until(Delivery.objects.filter(state="delivered").aexists)
    run = await Run.objects.aget(pk=run_id)
    assert (run.request, run.extra_params, run.stdout, run.outcome) == (None, None, None, "success")
    assert bytes((await Delivery.objects.aget()).body) == b""


async def test_a_revoked_key_still_gets_the_results_of_what_it_began(api, cast, receiver):
    await send_to(cast.alice, receiver.url)
    run_id = await queue(api)
    await sync_to_async(revoke_api_key)(key=cast.alice.api_key_row)
    async with queue_service(), courier_service():
        assert json.loads((await received(receiver))[0].body)["id"] == run_id
