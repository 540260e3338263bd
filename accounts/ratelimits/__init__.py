"""Rates, concurrency and quotas: decided together, in one atomic step, for all processes at once.

    decision = await limiter.acquire("o42", [Quota(...), Lease(...), TokenBucket(...)])   # all of them or none
    await limiter.finish("o42", [...])                                                    # given back, or pinned

`checks` says what can be asked, `memory` answers within one process, `redis` for all processes of an installation;
both pass the same tests (tests/ratelimits). `keeper` renews what is held for longer than a moment.
"""

from django.conf import settings

from accounts.ratelimits.checks import (
    Check,
    Decision,
    Held,
    Lease,
    Limiter,
    LimiterUnavailable,
    Quota,
    State,
    TokenBucket,
)
from accounts.ratelimits.keeper import Hold, LeaseKeeper
from accounts.ratelimits.memory import MemoryLimiter
from accounts.ratelimits.redis import RedisLimiter

__all__ = [
    "Check",
    "Decision",
    "Held",
    "Hold",
    "Lease",
    "LeaseKeeper",
    "Limiter",
    "LimiterUnavailable",
    "MemoryLimiter",
    "Quota",
    "RedisLimiter",
    "State",
    "TokenBucket",
    "make_limiter",
]


def make_limiter() -> Limiter:
    """The limiter of this installation: over Redis when REDIS_URL is set, else within this process."""
    return RedisLimiter(settings.REDIS_URL) if settings.REDIS_URL else MemoryLimiter()
