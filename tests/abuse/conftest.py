from collections.abc import AsyncIterator, Iterator

import pytest

from execution.sandbox.client import SandboxClient
from tests.abuse.drivers import HOSTS
from tests.abuse.hosts import Host


@pytest.fixture(scope="session")
def native() -> Iterator[Host]:
    with HOSTS["native"]() as host:
        yield host


@pytest.fixture(scope="session")
def docker() -> Iterator[Host]:
    with HOSTS["docker"]() as host:
        yield host


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> Host:
    """A host of each driver, in turn."""
    host: Host = request.getfixturevalue(request.param)
    return host


@pytest.fixture
async def client(host: Host) -> AsyncIterator[SandboxClient]:
    client = SandboxClient(host.supervisor.socket)
    yield client
    await client.aclose()
