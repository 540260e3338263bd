"""Reserve, settle, release: the same with Redis and without."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.ratelimits import Lease, TokenBucket
from billing import flusher as flushing
from billing.metering import Metering
from billing.models import RunCharge, UsagePeriod
from billing.orphans import pending_charges
from billing.periods import current_month
from billing.plans import FREE
from billing.quotas import Refused, reserve
from billing.subscriptions import subscribe
from config.errors import Unavailable
from tests.billing.runs import USAGE, caller_of, flush, plan_of_runs, run, runs_until_refused
from tests.cast import Cast

TEN = plan_of_runs(10)


async def test_it_admits_exactly_the_quota(cast: Cast, running: Metering) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    assert await runs_until_refused(caller, TEN) == 10
    await flush()
    assert await RunCharge.objects.acount() == 10
    with pytest.raises(Refused) as refused:
        await run(caller, TEN)
    assert refused.value.place == 0
    assert refused.value.period == current_month()


async def test_many_at_once_get_exactly_the_quota(cast: Cast, running: Metering) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    results = await asyncio.gather(*(run(caller, TEN) for _ in range(100)), return_exceptions=True)
    assert sum(isinstance(result, Refused) for result in results) == 90
    await flush()
    assert await RunCharge.objects.acount() == 10


async def test_a_running_run_counts(cast: Cast, running: Metering) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    reservation = await reserve(caller, plan_of_runs(1), uuid4())
    with pytest.raises(Refused):
        await run(caller, plan_of_runs(1))
    await reservation.close()
    await run(caller, plan_of_runs(1))


async def test_what_is_not_settled_is_not_billed(cast: Cast, running: Metering) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    for _ in range(30):
        await run(caller, TEN, settled=False)
    await flush()
    assert await RunCharge.objects.acount() == 0
    assert await runs_until_refused(caller, TEN) == 10


async def test_another_organisations_quota_is_its_own(cast: Cast, running: Metering) -> None:
    assert await runs_until_refused(caller_of(cast.alice.organisation.pk), TEN) == 10
    assert await runs_until_refused(caller_of(cast.charlie.organisation.pk), TEN) == 10


async def test_all_keys_of_an_organisation_share_its_quota(cast: Cast, running: Metering) -> None:
    for key_id in range(10):
        await run(caller_of(cast.alice.organisation.pk, key_id), TEN)
    with pytest.raises(Refused):
        await run(caller_of(cast.alice.organisation.pk, 11), TEN)


async def test_what_was_billed_before_counts_after_a_restart(cast: Cast, running: Metering) -> None:
    organisation = cast.alice.organisation
    month = current_month()
    await UsagePeriod.objects.acreate(organisation=organisation, start=month.starts_at, end=month.ends_at, runs=7)
    assert await runs_until_refused(caller_of(organisation.pk), TEN) == 3


async def test_a_larger_plan_counts_at_once(cast: Cast, running: Metering) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    assert await runs_until_refused(caller, plan_of_runs(3)) == 3
    assert await runs_until_refused(caller, plan_of_runs(5)) == 2


async def test_a_paid_period_counts_instead_of_the_month(cast: Cast, running: Metering) -> None:
    organisation = cast.alice.organisation
    caller = caller_of(organisation.pk)
    assert await runs_until_refused(caller, plan_of_runs(3)) == 3

    period = (timezone.now() - timedelta(days=3), timezone.now() + timedelta(days=27))
    await sync_to_async(subscribe)(organisation.pk, FREE, period=period)

    assert await runs_until_refused(caller, plan_of_runs(3)) == 3
    await flush()
    assert [usage.runs async for usage in UsagePeriod.objects.all()] == [3, 3]


async def test_the_checks_beside_are_taken_with_it_or_not_at_all(cast: Cast, running: Metering) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    lease = Lease("sync", 1, "a", 15)
    bucket = TokenBucket.per_second("k", rate=0.001, burst=1)
    reservation = await reserve(caller, TEN, uuid4(), beside=[lease, bucket])
    assert [state.remaining for state in reservation.states] == [9, 0, 0]

    for beside, place in (([Lease("sync", 1, "b", 15)], 1), ([Lease("other", 1, "b", 15), bucket], 2)):
        with pytest.raises(Refused) as refused:
            await reserve(caller, TEN, uuid4(), beside=beside)
        assert refused.value.place == place
    await reservation.close()
    # Neither of the refused kept a run of the month or a place.
    last = await reserve(caller, TEN, uuid4(), beside=[Lease("sync", 1, "c", 15), Lease("other", 1, "c", 15)])
    assert [state.remaining for state in last.states] == [9, 0, 0]
    await last.close()


async def test_a_run_is_in_the_journal_when_settle_returns(cast: Cast, running: Metering) -> None:
    reservation = await reserve(caller_of(cast.alice.organisation.pk), TEN, uuid4())
    assert list(pending_charges(running.journal.folder.parent)) == []
    reservation.settle(USAGE)
    (charge,) = pending_charges(running.journal.folder.parent)
    assert (charge.run_id, charge.usage) == (reservation.run_id, USAGE)
    await reservation.close()


async def test_a_run_is_settled_once(cast: Cast, running: Metering) -> None:
    reservation = await reserve(caller_of(cast.alice.organisation.pk), TEN, uuid4())
    reservation.settle(USAGE)
    with pytest.raises(RuntimeError, match="already"):
        reservation.settle(USAGE)
    await reservation.close()
    await flush()
    assert await RunCharge.objects.acount() == 1


async def test_a_run_that_cannot_be_journalled_is_not_billed(
    cast: Cast, running: Metering, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    reservation = await reserve(caller, plan_of_runs(1), uuid4())

    def full_disk(line: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(running.journal, "append", full_disk)
        with pytest.raises(Unavailable) as refusal:
            reservation.settle(USAGE)
        assert refusal.value.headers == {"Retry-After": "2"}
        await reservation.close()
        if running.limiter.shared:
            with pytest.raises(Unavailable):
                await reserve(caller, plan_of_runs(1), uuid4())
    await flush()
    assert await RunCharge.objects.acount() == 0
    await run(caller, plan_of_runs(1))


async def test_a_cancelled_run_gives_everything_back(cast: Cast, running: Metering) -> None:
    caller = caller_of(cast.alice.organisation.pk)

    async def endless() -> None:
        reservation = await reserve(caller, plan_of_runs(1), uuid4())
        try:
            await asyncio.Event().wait()
        finally:
            await reservation.close()

    for moment in range(30):
        task = asyncio.create_task(endless())
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    while running._under_way or getattr(running.limiter, "_under_way", None):
        await asyncio.sleep(0.01)
    await run(caller, plan_of_runs(1))


async def test_a_run_cancelled_over_its_close_is_billed_all_the_same(cast: Cast, running: Metering) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    reservation = await reserve(caller, plan_of_runs(1), uuid4())
    reservation.settle(USAGE)
    task = asyncio.create_task(reservation.close())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with pytest.raises(Refused):
        await run(caller, plan_of_runs(1))
    while running._under_way:
        await asyncio.sleep(0.01)
    await flush()
    assert await RunCharge.objects.acount() == 1
    with pytest.raises(Refused):
        await run(caller, plan_of_runs(1))
    assert running.limiter.pinned(f"o{caller.organisation_id}", f"runs:{current_month().start}") == []


async def test_too_much_unrecorded_admits_no_more(
    cast: Cast, running: Metering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "MOST_WAITING", -1)
    with pytest.raises(Unavailable):
        await run(caller_of(cast.alice.organisation.pk), TEN)


async def test_an_unreadable_total_admits_nothing(
    cast: Cast, running: Metering, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = caller_of(cast.alice.organisation.pk)

    async def lost_again(*arguments: object) -> None:
        """Redis is emptied again and again."""

    with monkeypatch.context() as patched:
        patched.setattr(running, "load_total", lost_again)
        with pytest.raises(Unavailable, match="not counted"):
            await run(caller, TEN)
    await run(caller, TEN)
