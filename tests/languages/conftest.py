import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
from django.conf import settings

from execution.catalogue import installed
from execution.sandbox.client import SandboxClient
from execution.sandbox.job import Job, Outcome, Result
from tests.languages.table import Language
from tests.sandbox import supervisors
from tests.sandbox.supervisors import ALL_ON_BOTH, RunningSupervisor

Run = Callable[..., Awaitable[Result]]

# What the drivers do in ways of their own. The rest is the languages' and is tried on one driver: a container for each
# of a thousand programs takes many minutes. `make test-drivers` tries everything on both.
ON_BOTH = {
    "test_hello",
    "test_stdin_is_echoed",
    "test_an_error_of_syntax_or_names_is_told_with_file_and_line",
    "test_the_exit_code_is_the_programs",
    "test_taking_memory_without_end_meets_the_limit",
    "test_the_time_limit_keeps_what_was_printed",
    "test_a_file_is_written_in_the_work_directory",
}


@pytest.fixture(scope="session")
def native_languages() -> Iterator[RunningSupervisor]:
    with supervisors.running() as supervisor:
        yield supervisor


@pytest.fixture(scope="session")
def docker_languages(docker_engine: str) -> Iterator[RunningSupervisor]:
    with supervisors.running(engine=docker_engine) as supervisor:
        yield supervisor


@pytest.fixture
async def run(request: pytest.FixtureRequest, native_languages: RunningSupervisor) -> AsyncIterator[Run]:
    """Runs a program of a language's, where ON_BOTH says so on both drivers, which must give the same result, byte for
    byte, times and memory apart; skips the test where the toolchain is not installed. `varies`: what it prints differs
    from run to run."""
    native, docker = SandboxClient(native_languages.socket), None
    if ALL_ON_BOTH or request.node.originalname in ON_BOTH:
        docker = SandboxClient(request.getfixturevalue("docker_languages").socket)

    async def run(
        language: Language, program: tuple[str, dict[str, bytes]], *, varies: bool = False, **options: object
    ) -> Result:
        if language.id not in installed(settings.RUNCODE_HOME):
            pytest.skip(f"{language.id} is not installed here")
        entrypoint, files = program
        job = Job(language.id, files, entrypoint, **options)  # type: ignore[arg-type]
        of_native = await native.run(job)
        if docker is None:
            return of_native
        of_docker = await docker.run(job)
        assert measured_apart(of_docker, varies=varies) == measured_apart(of_native, varies=varies)
        if of_native.outcome is Outcome.MEMORY_LIMIT:
            assert of_docker.memory_bytes == pytest.approx(of_native.memory_bytes, rel=0.1)
        return of_native

    yield run
    await native.aclose()
    if docker is not None:
        await docker.aclose()


def measured_apart(result: Result, *, varies: bool) -> Result:
    """A result without what differs from run to run."""
    compiled = None if result.compile_seconds is None else 0.0
    same = replace(
        result, wall_seconds=0.0, total_seconds=0.0, cpu_seconds=0.0, compile_seconds=compiled, memory_bytes=0
    )
    # Rust names a thread by its number, which depends on how many processes the compiler needed.
    same = replace(same, stderr=re.sub(rb"thread 'main' \(\d+\)", b"thread 'main'", same.stderr))
    return replace(same, stdout=b"") if varies else same
