from collections.abc import AsyncIterator, Iterator

import pytest

from accounts.ratelimits import Limiter, MemoryLimiter, RedisLimiter
from tests.ratelimits.clock import Clock
from tests.ratelimits.redis_server import RedisServer


@pytest.fixture(scope="session")
def redis_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_server(redis_of_session: RedisServer) -> RedisServer:
    redis_of_session.reset()
    return redis_of_session


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
