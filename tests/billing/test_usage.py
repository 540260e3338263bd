"""What is told of the usage is exact at every moment between a run and its place in the database."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from accounts.ratelimits import MemoryLimiter
from billing import usage as usage_module
from billing.connections import leave_seat, take_seat
from billing.journal import Journal
from billing.metering import Metering, metering_service
from billing.periods import current_month
from billing.plans import FREE, STARTER
from billing.quotas import reserve
from billing.subscriptions import subscribe
from billing.usage import Usage, ausage_of, usage_of
from config.errors import Unavailable
from tests.billing.runs import USAGE, caller_of, charge_of, flush, plan_of_runs, run
from tests.cast import Cast
from tests.ratelimits.redis_server import RedisServer


def test_it_starts_at_nothing(cast: Cast) -> None:
    month = current_month()
    usage = usage_of(cast.alice.organisation.pk)
    assert usage == Usage(FREE, 0, month.starts_at, month.ends_at, 0)
    assert (usage.runs_left, usage.connection_limit) == (FREE.runs_per_month, FREE.concurrent_connections)


def test_it_is_that_of_the_plan(cast: Cast) -> None:
    subscribe(cast.alice.organisation.pk, STARTER)
    assert usage_of(cast.alice.organisation.pk).runs_left == STARTER.runs_per_month
    assert usage_of(cast.charlie.organisation.pk).runs_left == FREE.runs_per_month


async def test_a_run_counts_from_its_settlement_on(cast: Cast, running: Metering) -> None:
    organisation_id = cast.alice.organisation.pk

    async def used() -> int:
        return (await ausage_of(organisation_id)).runs_used

    reservation = await reserve(caller_of(organisation_id), FREE, uuid4())
    assert await used() == 0
    reservation.settle(USAGE)
    assert await used() == 1
    await reservation.close()
    assert await used() == 1
    await flush()
    assert await used() == 1
    for _ in range(5):
        await run(caller_of(organisation_id), FREE)
    assert await used() == 6
    await run(caller_of(organisation_id), FREE, settled=False)
    assert await used() == 6
    assert (await ausage_of(cast.charlie.organisation.pk)).runs_used == 0


async def test_it_is_exact_while_runs_move_to_the_database(cast: Cast, running: Metering) -> None:
    organisation_id = cast.alice.organisation.pk
    settled = 0

    async def keep_running() -> None:
        nonlocal settled
        for _ in range(60):
            await run(caller_of(organisation_id), FREE)
            settled += 1
            await flush()

    task = asyncio.create_task(keep_running())
    while not task.done():
        before = settled
        used = (await ausage_of(organisation_id)).runs_used
        # One more may be settled but not counted here yet.
        assert before <= used <= settled + 1
    await task
    assert (await ausage_of(organisation_id)).runs_used == 60


def test_another_process_journal_counts(cast: Cast, settings: Any) -> None:
    organisation_id = cast.alice.organisation.pk
    journal = Journal(settings.RUNCODE_HOME / "journal")
    for _ in range(3):
        journal.append(charge_of(organisation_id))
    journal.append(charge_of(cast.charlie.organisation.pk))
    assert usage_of(organisation_id).runs_used == 3
    journal.close()


@pytest.mark.parametrize("redis_url", ["redis"], indirect=True)
async def test_another_machines_runs_count(
    cast: Cast, running: Metering, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await run(caller_of(cast.alice.organisation.pk), FREE)
    # This process has another RUNCODE_HOME and no metering of its own: what it knows comes over Redis.
    monkeypatch.setattr(usage_module, "current_metering", lambda: None)
    settings.RUNCODE_HOME = tmp_path
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 3


async def test_more_than_the_plan_holds_leaves_nothing(cast: Cast, running: Metering) -> None:
    for _ in range(3):
        await run(caller_of(cast.alice.organisation.pk), FREE)
    usage = await ausage_of(cast.alice.organisation.pk)
    assert Usage(plan_of_runs(2), *list(usage_values(usage))[1:]).runs_left == 0


def usage_values(usage: Usage) -> list[Any]:
    return [usage.plan, usage.runs_used, usage.period_start, usage.period_end, usage.connections]


async def test_open_connections_are_told(cast: Cast, running: Metering) -> None:
    organisation_id = cast.alice.organisation.pk
    seats = [await take_seat(organisation_id, FREE, f"c{number}") for number in range(FREE.concurrent_connections)]
    assert (await ausage_of(organisation_id)).connections == FREE.concurrent_connections
    assert await take_seat(organisation_id, FREE, "one too many") is None
    assert await take_seat(cast.charlie.organisation.pk, FREE, "another's") is not None

    assert seats[0]
    await leave_seat(seats[0])
    assert (await ausage_of(organisation_id)).connections == FREE.concurrent_connections - 1
    assert await take_seat(organisation_id, FREE, "one more") is not None


async def test_it_is_told_without_connections_while_redis_is_gone(
    cast: Cast, transactional_db: None, settings: Any, tmp_path: Any
) -> None:
    server = RedisServer(tmp_path)
    server.start()
    settings.REDIS_URL = server.url
    async with metering_service():
        await run(caller_of(cast.alice.organisation.pk), FREE)
        seat = await take_seat(cast.alice.organisation.pk, FREE, "c1")
        server.stop()
        with pytest.raises(Unavailable):
            await take_seat(cast.alice.organisation.pk, FREE, "c2")
        usage = await ausage_of(cast.alice.organisation.pk)
        assert (usage.runs_used, usage.connections) == (1, None)
        assert seat
        await leave_seat(seat)


def test_a_process_without_metering_asks_no_limiter(cast: Cast, settings: Any) -> None:
    settings.REDIS_URL = ""
    with usage_module._limiter() as limiter:
        assert limiter is None


async def test_a_process_with_metering_asks_its_own(cast: Cast, transactional_db: None) -> None:
    async with metering_service() as running:
        with usage_module._limiter() as limiter:
            assert limiter is running.limiter
            assert isinstance(limiter, MemoryLimiter)
