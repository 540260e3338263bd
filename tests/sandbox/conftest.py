from collections.abc import AsyncIterator, Iterator

import pytest

from execution.sandbox.client import SandboxClient
from tests.sandbox import supervisors


@pytest.fixture(scope="session")
def shared_supervisor() -> Iterator[supervisors.RunningSupervisor]:
    with supervisors.running() as supervisor:
        yield supervisor


@pytest.fixture
def supervisor(shared_supervisor: supervisors.RunningSupervisor) -> supervisors.RunningSupervisor:
    assert shared_supervisor.process.poll() is None, shared_supervisor.log()
    return shared_supervisor


@pytest.fixture
async def client(supervisor: supervisors.RunningSupervisor) -> AsyncIterator[SandboxClient]:
    client = SandboxClient(supervisor.socket)
    yield client
    await client.aclose()
