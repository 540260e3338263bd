import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from execution.sandbox.client import SandboxClient
from tests.sandbox import supervisors


@pytest.fixture(scope="session")
def shared_supervisor() -> Iterator[supervisors.RunningSupervisor]:
    with supervisors.running() as supervisor:
        yield supervisor


@pytest.fixture(scope="session")
def few_toolchains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not all toolchains: Docker would make each into an image, and keep it warm."""
    compilers = tmp_path_factory.mktemp("toolchains") / "compilers"
    compilers.mkdir()
    for name in ("python-3.14.json", "gcc-15.json", "g++-15.json"):
        shutil.copy(settings.RUNCODE_HOME / "toolchains" / "compilers" / name, compilers)
    return compilers.parent


@pytest.fixture(scope="session")
def docker_supervisor(docker_engine: str, few_toolchains: Path) -> Iterator[supervisors.RunningSupervisor]:
    with supervisors.running(engine=docker_engine, toolchains=few_toolchains) as supervisor:
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
