"""What is held stays held while it is in use, and is given back once it is not."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from accounts.ratelimits import Held, Hold, Lease, LeaseKeeper, Limiter, LimiterUnavailable, MemoryLimiter, RedisLimiter
from tests.ratelimits.clock import Clock
from tests.ratelimits.redis_server import RedisServer

LEASE = Lease("sync", 1, "a", 15)
OTHER = Lease("sync", 1, "b", 15)


def hold_of(lease: Lease, scope: str = "o1") -> Hold:
    held = Held.of(lease)
    assert held
    return Hold(scope, (held,))


async def test_a_held_lease_outlives_its_lapse(limiter: Limiter, clock: Clock) -> None:
    keeper = LeaseKeeper(limiter, renew_seconds=0)
    hold = hold_of(LEASE)
    await limiter.acquire("o1", [LEASE])
    keeper.add(hold)
    for _ in range(4):
        clock.advance(10)
        await keeper.renew()
    assert not (await limiter.acquire("o1", [OTHER])).granted

    await keeper.finish(hold)
    assert (await limiter.acquire("o1", [OTHER])).granted


async def test_a_finished_hold_is_renewed_no_more(limiter: Limiter, clock: Clock) -> None:
    keeper = LeaseKeeper(limiter, renew_seconds=0)
    hold = hold_of(LEASE)
    await limiter.acquire("o1", [LEASE])
    keeper.add(hold)
    await keeper.finish(hold)
    await keeper.renew()
    assert await asyncio.to_thread(limiter.count, "o1", "sync") == 0


async def test_a_short_hold_costs_no_renewal(redis_server: RedisServer) -> None:
    limiter = RedisLimiter(redis_server.url)
    keeper = LeaseKeeper(limiter, renew_seconds=60)
    keeper.add(hold_of(LEASE))
    await keeper.renew()
    await limiter.aclose()
    assert "evalsha" not in redis_server.calls()


async def test_organisations_are_renewed_apart(limiter: Limiter, clock: Clock) -> None:
    keeper = LeaseKeeper(limiter, renew_seconds=0)
    for number in range(5):
        await limiter.acquire(f"o{number}", [LEASE])
        keeper.add(hold_of(LEASE, f"o{number}"))
    clock.advance(10)
    await keeper.renew()
    clock.advance(10)
    assert [await asyncio.to_thread(limiter.count, f"o{number}", "sync") for number in range(5)] == [1] * 5


async def eventually(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("It never came true.")


class SlowRenewal(MemoryLimiter):
    """Takes its time over a renewal, so that a finish can come in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.started, self.go_on = asyncio.Event(), asyncio.Event()

    async def renew(self, scope: str, held: Sequence[Held]) -> None:
        self.started.set()
        await self.go_on.wait()
        await super().renew(scope, held)


async def test_a_finish_during_a_renewal_has_the_last_word() -> None:
    limiter = SlowRenewal()
    keeper = LeaseKeeper(limiter, renew_seconds=0)
    hold, later = hold_of(LEASE), hold_of(LEASE, "o2")
    for each in (hold, later):
        await limiter.acquire(each.scope, [LEASE])
        keeper.add(each)
    renewal = asyncio.create_task(keeper.renew())
    await limiter.started.wait()
    finishes = [asyncio.create_task(keeper.finish(each)) for each in (hold, later)]
    await asyncio.sleep(0)
    # The client of both leaves while they are given back.
    for finish in finishes:
        finish.cancel()
    limiter.go_on.set()
    await renewal
    await asyncio.gather(*finishes, return_exceptions=True)
    for _ in range(5):
        await asyncio.sleep(0)
    assert [limiter.count("o1", "sync"), limiter.count("o2", "sync")] == [0, 0]


async def test_the_task_outlasts_an_outage(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = RedisLimiter(redis_server.url)
    keeper = LeaseKeeper(limiter, renew_seconds=0.01)
    outages = iter([LimiterUnavailable("gone"), ValueError("a fault of ours")])
    renew = limiter.renew

    async def sometimes(scope: str, held: Sequence[Held]) -> None:
        if error := next(outages, None):
            raise error
        await renew(scope, held)

    monkeypatch.setattr(limiter, "renew", sometimes)
    keeper.add(hold_of(LEASE))
    task = asyncio.create_task(keeper.run())
    # What Redis lost in the outage is taken anew.
    await eventually(lambda: limiter.count("o1", "sync") == 1)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await limiter.aclose()
