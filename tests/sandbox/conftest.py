from collections.abc import AsyncIterator, Iterator

import pytest

from execution.sandbox.client import SandboxClient
from tests.sandbox import supervisors


@pytest.fixture(scope="session")
def shared_supervisor() -> Iterator[supervisors.RunningSupervisor]:
    with supervisors.running() as supervisor:
        yield supervisor


@pytest.fixture(scope="session")
def docker_supervisor(docker_engine: str) -> Iterator[supervisors.RunningSupervisor]:
    with supervisors.running(engine=docker_engine) as supervisor:
        yield supervisor


@pytest.fixture
async def docker_client(docker_supervisor: supervisors.RunningSupervisor) -> AsyncIterator[SandboxClient]:
    client = SandboxClient(docker_supervisor.socket)
    yield client
    await client.aclose()


@pytest.fixture
def supervisor(shared_supervisor: supervisors.RunningSupervisor) -> supervisors.RunningSupervisor:
    assert shared_supervisor.process.poll() is None, shared_supervisor.log()
    return shared_supervisor


@pytest.fixture(params=["native", "docker"])
def every_supervisor(request: pytest.FixtureRequest) -> supervisors.RunningSupervisor:
    """For what every driver does alike: a supervisor of each, in turn."""
    name = {"native": "shared_supervisor", "docker": "docker_supervisor"}[request.param]
    supervisor: supervisors.RunningSupervisor = request.getfixturevalue(name)
    assert supervisor.process.poll() is None, supervisor.log()
    return supervisor


@pytest.fixture
async def client(supervisor: supervisors.RunningSupervisor) -> AsyncIterator[SandboxClient]:
    client = SandboxClient(supervisor.socket)
    yield client
    await client.aclose()
