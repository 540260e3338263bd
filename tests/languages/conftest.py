from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
from django.conf import settings

from execution.catalogue import installed
from execution.sandbox.client import SandboxClient
from execution.sandbox.job import Job, Outcome, Result
from tests.languages.table import Language
from tests.sandbox import supervisors
from tests.sandbox.supervisors import RunningSupervisor

Run = Callable[..., Awaitable[Result]]


@pytest.fixture(scope="session")
def native_languages() -> Iterator[RunningSupervisor]:
    with supervisors.running() as supervisor:
        yield supervisor


@pytest.fixture(scope="session")
def docker_languages(docker_engine: str) -> Iterator[RunningSupervisor]:
    with supervisors.running(engine=docker_engine) as supervisor:
        yield supervisor


@pytest.fixture
async def run(native_languages: RunningSupervisor, docker_languages: RunningSupervisor) -> AsyncIterator[Run]:
    """Runs a program of a language's on both drivers, which must give the same result, byte for byte, times and memory
    apart; skips the test where the toolchain is not installed. `varies`: what it prints differs from run to run."""
    native, docker = SandboxClient(native_languages.socket), SandboxClient(docker_languages.socket)

    async def run(
        language: Language, program: tuple[str, dict[str, bytes]], *, varies: bool = False, **options: object
    ) -> Result:
        if language.id not in installed(settings.RUNCODE_HOME):
            pytest.skip(f"{language.id} is not installed here")
        entrypoint, files = program
        job = Job(language.id, files, entrypoint, **options)  # type: ignore[arg-type]
        of_native, of_docker = await native.run(job), await docker.run(job)
        assert measured_apart(of_docker, varies=varies) == measured_apart(of_native, varies=varies)
        if of_native.outcome is Outcome.MEMORY_LIMIT:
            assert of_docker.memory_bytes == pytest.approx(of_native.memory_bytes, rel=0.1)
        return of_native

    yield run
    await native.aclose()
    await docker.aclose()


def measured_apart(result: Result, *, varies: bool) -> Result:
    """A result without what differs from run to run."""
    compiled = None if result.compile_seconds is None else 0.0
    same = replace(
        result, wall_seconds=0.0, total_seconds=0.0, cpu_seconds=0.0, compile_seconds=compiled, memory_bytes=0
    )
    return replace(same, stdout=b"") if varies else same
