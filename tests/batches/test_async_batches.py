"""Batches that nobody waits for: queued, taken, taken up again, cancelled, asked for."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.authentication import forget_everything
from billing.metering import metering_service
from billing.usage import ausage_of
from execution.batches import rows, views
from execution.batches.worker import BatchWorker, carry_out
from execution.callbacks.courier import courier_service
from execution.models import Batch, Delivery, Endpoint, Run
from execution.sandbox_clients import sandbox_connections
from tests.batches.conftest import CPP_DOUBLE, BatchApi, verdicts
from tests.callbacks.receiver import receiving
from tests.cast import Cast
from tests.execution.test_errors import check_shape
from tests.sandbox.supervisors import RunningSupervisor

TESTS = [{"input": str(n), "expected": str(2 * n)} for n in range(12)]


@pytest.fixture
async def idle(cast: Cast, sandbox: RunningSupervisor) -> AsyncIterator[BatchApi]:
    """The API where nobody carries out what waits."""
    async with metering_service(), sandbox_connections():
        yield BatchApi(cast.alice.api_key)


async def queue(api: BatchApi, *tests: dict[str, Any], **fields: Any) -> Batch:
    response = await api.send(*(tests or TESTS), **{"async": True}, **fields)
    assert response.status_code == 202, response.text
    assert list(response.json()) == ["status", "id"]
    assert response.json()["status"] == "queued"
    return await Batch.objects.aget(pk=response.json()["id"])


async def claim(worker: str = "w") -> Batch:
    batch = await sync_to_async(rows.claim)(worker)
    assert batch is not None
    return batch


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.05)


async def test_it_is_carried_out_behind_the_answer(api: BatchApi, cast: Cast) -> None:
    batch = await queue(api, extra_params={"n": 1}, **CPP_DOUBLE)
    answer = await api.get(f"/api/batches/{batch.pk}/?wait=60")
    assert (answer["status"], answer["accepted"], answer["score"]) == ("finished", 12, 1.0)
    assert verdicts(answer) == ["accepted"] * 12
    assert answer["extra_params"] == {"n": 1}
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 12


async def test_progress_shows_while_it_runs(api: BatchApi) -> None:
    tests = [{"input": "0", "expected": "1"}, {"input": "30", "expected": "1"}]
    batch = await queue(api, *tests, code="import time; time.sleep(float(input())); print(1)")

    async def one_is_done() -> bool:
        told = await api.get(f"/api/batches/{batch.pk}/")
        return (told["status"], told["done"], len(told["results"])) == ("running", 1, 1)

    await until(one_is_done)
    assert "results" not in await api.get(f"/api/batches/{batch.pk}/?results=false")
    await api.request("POST", f"/api/batches/{batch.pk}/cancel/")
    answer = await api.get(f"/api/batches/{batch.pk}/?wait=60")
    assert (answer["status"], answer["done"], answer["accepted"]) == ("cancelled", 1, 1)


async def test_a_batch_that_waits_never_runs_once_cancelled(idle: BatchApi, cast: Cast) -> None:
    batch = await queue(idle)
    response = await idle.request("POST", f"/api/batches/{batch.pk}/cancel/")
    assert response.json()["status"] == "cancelled"
    assert await sync_to_async(rows.claim)("w") is None


async def test_a_batch_is_taken_up_where_its_worker_died(idle: BatchApi, cast: Cast) -> None:
    tests = [{"input": seconds} for seconds in ("0", "0.1", "3", "3", "3", "3")]
    await queue(idle, *tests, code="import time; time.sleep(float(input()))")
    first = await claim()
    dying = asyncio.create_task(carry_out(first))

    async def some_are_done() -> bool:
        return await Run.objects.acount() >= 2

    await until(some_are_done)
    # As a dead process: neither renews its lease nor gives the batch back.
    await Batch.objects.filter(pk=first.pk).aupdate(leased_until=timezone.now() - timedelta(seconds=1), attempts=7)
    dying.cancel()
    await asyncio.wait([dying])
    done = {run.pk async for run in Run.objects.all()}
    assert len(done) == 2
    await Batch.objects.filter(pk=first.pk).aupdate(
        status="running", leased_until=timezone.now() - timedelta(seconds=1)
    )
    await carry_out(await claim("other"))
    batch = await Batch.objects.aget()
    assert (batch.status, batch.done) == ("finished", 6)
    assert done <= {run.pk async for run in Run.objects.all()}
    assert await Run.objects.acount() == 6
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 6


async def test_a_worker_that_stops_gives_its_batch_back(idle: BatchApi) -> None:
    await queue(idle, {"input": "0"}, {"input": "30"}, code="import time; time.sleep(float(input()))")
    worker = asyncio.create_task(BatchWorker().work())

    async def one_is_done() -> bool:
        return await Run.objects.aexists()

    await until(one_is_done)
    worker.cancel()
    await asyncio.wait([worker])
    batch = await Batch.objects.aget()
    assert (batch.status, batch.worker, batch.done) == ("queued", "", 1)


async def test_a_slow_worker_does_not_write_over_the_next(idle: BatchApi) -> None:
    await queue(idle)
    slow = await claim("slow")
    await Batch.objects.aupdate(leased_until=timezone.now() - timedelta(seconds=1))
    await claim("next")
    with pytest.raises(rows.NotMine):
        await sync_to_async(rows.record)(slow, [], keep_outputs=True)
    with pytest.raises(rows.NotMine):
        await sync_to_async(rows.cancel)(slow)


async def test_an_organisation_with_many_batches_holds_up_no_others(idle: BatchApi, cast: Cast) -> None:
    for _ in range(3):
        await queue(idle)
    other = await queue(BatchApi(cast.charlie.api_key))
    taken = [await claim(), await claim()]
    assert [batch.organisation_id for batch in taken] == [cast.alice.organisation.pk, cast.charlie.organisation.pk]
    assert taken[1].pk == other.pk


async def test_a_batch_whose_client_waited_for_a_dead_server_ends(idle: BatchApi, cast: Cast) -> None:
    batch = await queue(idle)
    await Batch.objects.aupdate(
        asynchronous=False, status="running", leased_until=timezone.now() - timedelta(seconds=1)
    )
    assert await sync_to_async(rows.claim)("w") is None
    assert await sync_to_async(rows.end_lapsed)() == 1
    told = await idle.get(f"/api/batches/{batch.pk}/")
    assert (told["status"], told["error"]["code"]) == ("cancelled", "sandbox_unavailable")


async def test_a_batch_that_takes_its_workers_down_is_given_up(idle: BatchApi) -> None:
    await queue(idle)
    await Batch.objects.aupdate(attempts=rows.MOST_ATTEMPTS)
    await carry_out(await claim())
    batch = await Batch.objects.aget()
    assert (batch.status, batch.refusal_code) == ("finished", "sandbox_unavailable")


async def test_what_waits_counts_against_the_month_and_has_an_end(
    idle: BatchApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    thousand = [{}] * 1000
    for _ in range(5):
        await queue(idle, *thousand)
    refused = await idle.send({}, **{"async": True})
    check_shape(refused, 429, "run_quota")
    monkeypatch.setattr(views, "MOST_WAITING", 5)
    check_shape(await idle.send({}, **{"async": True}), 429, "queue_full")


async def test_one_message_tells_when_all_is_over(api: BatchApi, cast: Cast, settings: Any) -> None:
    settings.CALLBACK_ALLOW_PRIVATE = True
    with receiving() as receiver:
        key = cast.alice.api_key_row
        key.redirect_url = f"{receiver.url}/batches"
        await key.asave()
        forget_everything()
        async with courier_service():
            batch = await queue(
                api, {"input": "1", "expected": "2"}, {"input": "x"}, callback=True, extra_params={"n": 1}
            )
            (message,) = await asyncio.to_thread(receiver.wait_for, 1)
        endpoint = await Endpoint.objects.aget(key=key)
    told = message.verified(endpoint.secret)
    assert told == await api.get(f"/api/batches/{batch.pk}/")
    assert (told["accepted"], told["extra_params"], verdicts(told)) == (1, {"n": 1}, ["accepted", "runtime_error"])
    delivery = await Delivery.objects.aget()
    assert (delivery.batch_id, delivery.run_id, delivery.webhook_id) == (batch.pk, None, f"msg_{batch.uuid.hex}")


async def test_nobody_is_told_of_a_batch_that_was_cancelled_or_did_not_ask(api: BatchApi, cast: Cast) -> None:
    key = cast.alice.api_key_row
    key.redirect_url = "https://example.org/"
    await key.asave()
    forget_everything()
    silent = await queue(api, {"input": "1"})
    cancelled = await queue(api, {"input": "30"}, callback=True, code="import time; time.sleep(float(input()))")
    await api.request("POST", f"/api/batches/{cancelled.pk}/cancel/")
    for batch in (silent, cancelled):
        await api.get(f"/api/batches/{batch.pk}/?wait=60")
    assert not await Delivery.objects.aexists()


# --- Objects, and strangers ---


async def test_batches_are_listed_by_the_newest_first(idle: BatchApi) -> None:
    made = [(await queue(idle)).pk for _ in range(3)]
    first = await idle.get("/api/batches/?limit=2")
    assert [batch["id"] for batch in first["results"]] == made[:0:-1]
    assert first["next"].endswith(f"/api/batches/?cursor={made[1]}&limit=2")
    last = await idle.get(f"/api/batches/?limit=2&cursor={made[1]}")
    assert ([batch["id"] for batch in last["results"]], last["next"]) == ([made[0]], None)


async def test_a_strangers_batch_is_not_found(idle: BatchApi, cast: Cast) -> None:
    batch = await queue(BatchApi(cast.charlie.api_key))
    for method, path in [("GET", ""), ("DELETE", ""), ("POST", "cancel/")]:
        for batch_id in (batch.pk, 987654321, "9" * 30):
            response = await idle.request(method, f"/api/batches/{batch_id}/{path}")
            check_shape(response, 404, "not_found")
    assert (await idle.get("/api/batches/"))["results"] == []
    assert (await idle.get(f"/api/runs/?batch={batch.pk}"))["results"] == []
    assert (await Batch.objects.aget()).status == "queued"


async def test_removing_a_batch_removes_its_tests(api: BatchApi) -> None:
    batch = await queue(api)
    await api.get(f"/api/batches/{batch.pk}/?wait=60")
    assert (await api.request("DELETE", f"/api/batches/{batch.pk}/")).status_code == 204
    assert not await Run.objects.aexists()


async def test_removing_a_batch_that_waits_cancels_it(idle: BatchApi) -> None:
    batch = await queue(idle)
    response = await idle.request("DELETE", f"/api/batches/{batch.pk}/")
    assert (response.status_code, response.json()["status"]) == (202, "cancelled")
