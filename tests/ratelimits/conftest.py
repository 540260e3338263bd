from collections.abc import AsyncIterator

import pytest

from accounts.ratelimits import Limiter, MemoryLimiter, RedisLimiter
from tests.ratelimits.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "redis"])
async def limiter(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Limiter]:
    if request.param == "memory":
        yield MemoryLimiter(clock)
        return
    limiter = RedisLimiter(request.getfixturevalue("redis_server").url, clock)
    yield limiter
    await limiter.aclose()
