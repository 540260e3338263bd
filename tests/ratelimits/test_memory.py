"""What only the limiter in memory has to stand: living long."""

from accounts.ratelimits import Held, Lease, MemoryLimiter, Quota, TokenBucket, make_limiter
from accounts.ratelimits.memory import FORGET_TOTAL_SECONDS, SWEEP_SECONDS
from tests.ratelimits.clock import Clock


def kept(limiter: MemoryLimiter) -> list[int]:
    return [len(limiter._full_at), len(limiter._leases), len(limiter._quotas)]


async def test_it_forgets_what_says_nothing_any_more(clock: Clock) -> None:
    limiter = MemoryLimiter(clock)
    for number in range(50):
        await limiter.publish(f"o{number}", "june", 0)
        bucket, lease = TokenBucket.per_second("k", rate=1, burst=2), Lease("sync", 1, "a", 15)
        await limiter.acquire(f"o{number}", [Quota("june", 5, "a", 600), lease, bucket])
    assert kept(limiter) == [50, 50, 50]

    clock.advance(SWEEP_SECONDS)
    await limiter.acquire("o0", [])
    assert kept(limiter) == [0, 0, 50]

    clock.advance(FORGET_TOTAL_SECONDS)
    await limiter.acquire("o0", [])
    assert kept(limiter) == [0, 0, 0]


async def test_it_never_forgets_a_pinned_reservation(clock: Clock) -> None:
    limiter = MemoryLimiter(clock)
    await limiter.publish("o1", "june", 0)
    await limiter.acquire("o1", [Quota("june", 1, "a", 600)])
    await limiter.finish("o1", [Held("quota", "june", "a", 600)], pin=True)
    clock.advance(2 * FORGET_TOTAL_SECONDS)
    await limiter.acquire("o1", [])
    assert limiter.pinned("o1", "june") == ["a"]


async def test_it_serves_an_installation_without_redis(settings: object) -> None:
    settings.REDIS_URL = ""
    assert isinstance(make_limiter(), MemoryLimiter)
