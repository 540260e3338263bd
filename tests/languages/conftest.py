from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from django.conf import settings

from execution.catalogue import installed
from execution.sandbox.client import SandboxClient
from execution.sandbox.job import Job, Result
from tests.languages.table import Language
from tests.sandbox import supervisors

Run = Callable[..., Awaitable[Result]]


@pytest.fixture(scope="session")
def languages_supervisor() -> Iterator[supervisors.RunningSupervisor]:
    with supervisors.running() as supervisor:
        yield supervisor


@pytest.fixture
async def run(languages_supervisor: supervisors.RunningSupervisor) -> AsyncIterator[Run]:
    """Runs a program of a language's; skips the test where its toolchain is not installed."""
    client = SandboxClient(languages_supervisor.socket)

    async def run(language: Language, program: tuple[str, dict[str, bytes]], **job: object) -> Result:
        if language.id not in installed(settings.RUNCODE_HOME):
            pytest.skip(f"{language.id} is not installed here")
        entrypoint, files = program
        return await client.run(Job(language.id, files, entrypoint, **job))  # type: ignore[arg-type]

    yield run
    await client.aclose()
