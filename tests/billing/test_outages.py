"""What depends on the database or on Redis refuses while that is gone, loses nothing, and recovers by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError

from billing import flusher as flushing
from billing import ledger
from billing.metering import Metering, metering_service
from billing.models import RunCharge
from billing.orphans import pending_charges
from billing.quotas import reserve
from config.errors import Unavailable
from tests.billing.runs import USAGE, caller_of, charge_of, flush, plan_of_runs, run, runs_until_refused
from tests.cast import Cast
from tests.ratelimits.redis_server import RedisServer

TEN = plan_of_runs(10)


@pytest.fixture
def mortal_redis(tmp_path: Path, settings: Any) -> Any:
    server = RedisServer(tmp_path)
    server.start()
    settings.REDIS_URL = server.url
    yield server
    server.stop()


@pytest.fixture
async def over_redis(transactional_db: None, mortal_redis: RedisServer) -> AsyncIterator[Metering]:
    async with metering_service() as running:
        yield running


def no_database(*arguments: object) -> Any:
    raise OperationalError("could not connect to server")


async def eventually(condition: Callable[[], bool]) -> None:
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("It never came true.")


async def test_an_unreachable_redis_refuses_and_recovers(
    cast: Cast, over_redis: Metering, mortal_redis: RedisServer
) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    for _ in range(3):
        await run(caller, TEN)
    mortal_redis.kill()
    with pytest.raises(Unavailable) as refusal:
        await run(caller, TEN)
    assert (refusal.value.status, refusal.value.code) == (503, "unavailable")
    assert "Try again" in refusal.value.message

    mortal_redis.start()
    # It has forgotten everything: the total comes from the database and the journal.
    assert await runs_until_refused(caller, TEN) == 7
    await flush()
    assert await RunCharge.objects.acount() == 10


async def test_an_emptied_redis_overruns_no_quota(cast: Cast, over_redis: Metering, mortal_redis: RedisServer) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    for _ in range(4):
        await run(caller, TEN)
    mortal_redis.reset()
    assert await runs_until_refused(caller, TEN) == 6


async def test_a_run_that_ends_while_redis_is_gone_is_billed(
    cast: Cast, over_redis: Metering, mortal_redis: RedisServer
) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    reservation = await reserve(caller, TEN, uuid4())
    mortal_redis.kill()
    reservation.settle(USAGE)
    # The answer is not held up by it.
    await reservation.close()
    with pytest.raises(flushing.Failure):
        await flush()
    assert await RunCharge.objects.acount() == 1

    mortal_redis.start()
    await flush()
    assert await RunCharge.objects.acount() == 1
    assert list(pending_charges(over_redis.journal.folder.parent)) == []
    assert await runs_until_refused(caller, TEN) == 9


async def test_an_unreachable_database_holds_up_no_run(
    cast: Cast, running: Metering, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    await run(caller, TEN)
    await flush()
    with monkeypatch.context() as outage:
        outage.setattr(ledger, "record", no_database)
        assert await runs_until_refused(caller, TEN) == 9
        with pytest.raises(OperationalError):
            await flush()
        assert len(list(pending_charges(running.journal.folder.parent))) == 9
    await flush()
    assert await RunCharge.objects.acount() == 10
    assert await runs_until_refused(caller, TEN) == 0


async def test_a_total_that_cannot_be_loaded_admits_nothing(
    cast: Cast, running: Metering, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    with monkeypatch.context() as outage:
        outage.setattr(ledger, "total_of", no_database)
        with pytest.raises(Unavailable):
            await run(caller, TEN)
    await run(caller, TEN)


async def test_the_background_task_outlasts_an_outage(
    cast: Cast, running: Metering, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = ledger.record
    failures: list[Exception] = [OperationalError("gone"), ValueError("a fault of ours")]

    def sometimes(charges: Any) -> ledger.Totals:
        if failures:
            raise failures.pop()
        return record(charges)

    monkeypatch.setattr(ledger, "record", sometimes)
    await run(caller_of(cast.alice.organisation.pk), TEN)
    await eventually(lambda: not list(pending_charges(running.journal.folder.parent)))
    assert await RunCharge.objects.acount() == 1
    assert failures == []


async def test_charges_are_written_together(cast: Cast, running: Metering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flushing, "BATCH", 20)
    record, sizes = ledger.record, []

    def measured(charges: Any) -> ledger.Totals:
        sizes.append(len(charges))
        return record(charges)

    monkeypatch.setattr(ledger, "record", measured)
    for _ in range(50):
        charge = charge_of(cast.alice.organisation.pk)
        running.flusher.add(charge, running.journal.append(charge))
    await flush()
    assert sizes == [20, 20, 10]
    assert list(pending_charges(running.journal.folder.parent)) == []
