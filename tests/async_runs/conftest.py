from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from billing.metering import metering_service
from execution.async_runs.service import queue_service
from execution.callbacks.courier import courier_service
from execution.sandbox_clients import sandbox_connections
from tests.callbacks.receiver import Receiver, receiving
from tests.cast import Cast
from tests.execution.conftest import Api
from tests.sandbox.supervisors import RunningSupervisor


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """An endpoint on this machine, to which this installation may send."""
    settings.CALLBACK_ALLOW_PRIVATE = True
    with receiving() as receiver:
        yield receiver


@pytest.fixture
async def api(cast: Cast, sandbox: RunningSupervisor) -> AsyncIterator[Api]:
    """The API as Alice calls it, with a queue that nobody serves."""
    async with metering_service(), sandbox_connections():
        yield Api(cast.alice.api_key)


@pytest.fixture
async def served(api: Api) -> AsyncIterator[None]:
    """With it, the queue is served and callbacks are delivered."""
    async with queue_service(), courier_service():
        yield
