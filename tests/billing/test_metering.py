"""A process' metering from its start to its stop, and what becomes of one that was never stopped."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from accounts.ratelimits import Hold, LeaseKeeper, MemoryLimiter
from billing import metering as module
from billing.flusher import Flusher
from billing.journal import Journal
from billing.metering import Metering, current_metering, metering, metering_service
from billing.models import RunCharge
from billing.orphans import pending_charges
from billing.quotas import Refused, reserve
from tests.billing.runs import USAGE, caller_of, charge_of, plan_of_runs, run, runs_until_refused
from tests.cast import Cast

TEN = plan_of_runs(10)


def journals(settings: Any) -> list[str]:
    """What lies in the journal's folder beside the lock of the process."""
    return sorted(path.name for path in (settings.RUNCODE_HOME / "journal").iterdir() if path.is_dir())


async def test_it_starts_with_the_first_run_where_no_server_started_it(cast: Cast, settings: Any) -> None:
    assert current_metering() is None
    await asyncio.gather(*(run(caller_of(cast.alice.organisation.pk), TEN) for _ in range(5)))
    running = current_metering()
    assert running is not None
    assert await metering() is running
    assert len(journals(settings)) == 1
    await running.stop()
    module._current = None
    assert await RunCharge.objects.acount() == 5


async def test_stopping_records_what_is_waiting_and_leaves_nothing(
    cast: Cast, transactional_db: None, settings: Any, redis_url: str
) -> None:
    threads = threading.active_count()
    async with metering_service():
        for _ in range(5):
            await run(caller_of(cast.alice.organisation.pk), TEN)
    assert await RunCharge.objects.acount() == 5
    assert journals(settings) == []
    assert current_metering() is None
    assert threading.active_count() <= threads + 1  # Django's own, of the query above
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_stopping_waits_for_runs_that_are_just_being_closed(cast: Cast, redis_url: str) -> None:
    async with metering_service():
        reservation = await reserve(caller_of(cast.alice.organisation.pk), TEN, reservation_id())
        reservation.settle(USAGE)
        closing = asyncio.create_task(reservation.close())
        await asyncio.sleep(0)
    await closing
    assert await RunCharge.objects.acount() == 1


def reservation_id() -> Any:
    return charge_of(0).run_id


async def test_what_cannot_be_recorded_at_the_stop_is_recorded_at_the_next_start(
    cast: Cast, transactional_db: None, settings: Any, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_database(charges: Any) -> Any:
        raise OSError("no database")

    caller = caller_of(cast.alice.organisation.pk)
    async with metering_service():
        await run(caller, TEN)
        patch = pytest.MonkeyPatch()
        patch.setattr("billing.ledger.record", no_database)
    assert len(journals(settings)) == 1
    async with metering_service() as running:
        # Nor is it recorded while the database is still gone: the start goes on all the same.
        assert len(list(pending_charges(running.journal.folder.parent))) == 1
        patch.undo()
        await running.flusher.recover()
        assert await runs_until_refused(caller, TEN) == 9
    assert journals(settings) == []
    assert await RunCharge.objects.acount() == 10


async def test_an_orphan_found_while_running_is_recovered(
    cast: Cast, transactional_db: None, settings: Any, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.flusher.ORPHANS_SECONDS", 0.05)
    caller = caller_of(cast.alice.organisation.pk)
    async with metering_service():
        await run(caller, TEN)
        orphan = Journal(settings.RUNCODE_HOME / "journal")
        for _ in range(3):
            orphan.append(charge_of(cast.alice.organisation.pk))
        orphan.close()
        async with asyncio.timeout(30):
            while len(journals(settings)) > 1:
                await asyncio.sleep(0.02)
        assert await runs_until_refused(caller, TEN) == 6


async def test_an_orphan_that_cannot_be_recorded_is_left_for_later(
    cast: Cast, transactional_db: None, settings: Any, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_database(charges: Any) -> Any:
        raise OSError("no database")

    async with metering_service() as running:
        for _ in range(2):
            orphan = Journal(settings.RUNCODE_HOME / "journal")
            orphan.append(charge_of(cast.alice.organisation.pk))
            orphan.close()
        with monkeypatch.context() as outage:
            outage.setattr("billing.ledger.record", no_database)
            with pytest.raises(OSError, match="no database"):
                await running.flusher.recover()
        assert len(list(pending_charges(settings.RUNCODE_HOME / "journal"))) == 2
        await running.flusher.recover()
        assert await RunCharge.objects.acount() == 2


async def test_callers_who_come_together_share_one_look_up(
    cast: Cast, running: Metering, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, loads = Flusher.load_total, []

    async def counted(self: Flusher, *arguments: Any) -> None:
        loads.append(arguments)
        await load(self, *arguments)

    monkeypatch.setattr(Flusher, "load_total", counted)
    results = await asyncio.gather(
        *(run(caller_of(cast.alice.organisation.pk), TEN) for _ in range(30)), return_exceptions=True
    )
    assert sum(isinstance(result, Refused) for result in results) == 20
    assert len(loads) == 1


def test_a_loop_that_ended_without_a_stop_is_recovered_by_the_next(
    cast: Cast, transactional_db: None, settings: Any
) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    asyncio.run(run(caller, TEN))
    assert len(journals(settings)) == 1

    async def again() -> int:
        async with metering_service():
            return await runs_until_refused(caller, TEN)

    assert asyncio.run(again()) == 9
    assert journals(settings) == []
    assert RunCharge.objects.count() == 10


async def test_a_home_that_cannot_be_written_is_told_and_leaves_no_lock(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(module, "Journal", full_disk)
        with pytest.raises(OSError, match="No space left"):
            Metering(tmp_path, MemoryLimiter())
    Metering(tmp_path, MemoryLimiter()).abandon()


async def test_a_long_run_keeps_its_place(
    cast: Cast, transactional_db: None, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed = asyncio.Event()
    renew = LeaseKeeper._renew

    async def watched(self: LeaseKeeper, scope: str, holds: list[Hold], now: float) -> None:
        await renew(self, scope, holds, now)
        renewed.set()

    monkeypatch.setattr("billing.metering.LeaseKeeper", lambda limiter: LeaseKeeper(limiter, renew_seconds=0.02))
    monkeypatch.setattr(LeaseKeeper, "_renew", watched)
    async with metering_service():
        reservation = await reserve(caller_of(cast.alice.organisation.pk), plan_of_runs(1), reservation_id())
        await asyncio.wait_for(renewed.wait(), timeout=30)
        with pytest.raises(Refused):
            await run(caller_of(cast.alice.organisation.pk), plan_of_runs(1))
        await reservation.close()
