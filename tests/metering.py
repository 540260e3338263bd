"""A pytest plugin: runs are really metered, over a real Redis too, and no test finds another's counts."""

import shutil
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings

from accounts import broadcast
from billing import metering, subscriptions
from billing.metering import Metering, metering_service
from tests.ratelimits.redis_server import RedisServer


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    yield
    if running := metering.current_metering():
        # Started by a run, and its event loop is gone with the test.
        running.abandon()
        metering._current = None
    shutil.rmtree(django_settings.RUNCODE_HOME / "journal", ignore_errors=True)
    subscriptions._memory.forget(broadcast.EVERYTHING)


@pytest.fixture(scope="session")
def redis_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_server(redis_of_session: RedisServer) -> RedisServer:
    """A real Redis, empty."""
    redis_of_session.reset()
    return redis_of_session


@pytest.fixture(params=["memory", "redis"])
def redis_url(request: pytest.FixtureRequest, settings: Any) -> str:
    """The test runs twice: in an installation without Redis, and in one with it."""
    settings.REDIS_URL = request.getfixturevalue("redis_server").url if request.param == "redis" else ""
    return settings.REDIS_URL


@pytest.fixture
async def running(transactional_db: None, redis_url: str) -> AsyncIterator[Metering]:
    """The metering of a running web process, without Redis and with it."""
    async with metering_service() as running:
        yield running
