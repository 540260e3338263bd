from collections.abc import AsyncIterator

import pytest

from billing.metering import metering_service
from config.lifespan import background
from execution.realtime import open_now
from execution.sandbox_clients import sandbox_connections
from tests.cast import Cast


@pytest.fixture
async def web(cast: Cast) -> AsyncIterator[Cast]:
    """What a web process runs beside the application, in this one."""
    async with metering_service(), sandbox_connections(), background(open_now.keep_checking)():
        yield cast
