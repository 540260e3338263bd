from collections.abc import AsyncIterator, Iterator

import pytest

from execution.sandbox.client import SandboxClient
from tests.abuse.hosts import Host, native_host


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    with native_host() as host:
        yield host


@pytest.fixture
async def client(host: Host) -> AsyncIterator[SandboxClient]:
    client = SandboxClient(host.supervisor.socket)
    yield client
    await client.aclose()
