"""Every hostile program of `rows`, against the real driver, and after each the same five assertions: a program beside
it was not disturbed, the next program is right, nothing is left, it took no longer than its limit and a second, and
the supervisor's memory did not grow."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from execution.sandbox.client import SandboxClient
from execution.sandbox.job import MIB, Job, Limits, Outcome, Result
from execution.sandbox.native.slots import FIRST_UID, MOST_FREE
from execution.sandbox.pool import MOST_MAKING
from tests.abuse.rows import KILLED, ROWS, Row
from tests.sandbox import supervisors
from tests.sandbox.supervisors import RunningSupervisor, cgroup_directories

PROGRAMS = Path(__file__).parent / "programs"
COMPILERS = {".py": ("python-3.14", "main.py"), ".c": ("gcc-15", "main.c")}
NEIGHBOUR = b"import time\nfor n in range(12): time.sleep(0.05); print(n)\nprint(sum(range(10**5)))"
NEIGHBOUR_PRINTS = b"".join(b"%d\n" % n for n in range(12)) + b"4999950000\n"


@pytest.fixture(scope="session")
def shared_supervisor() -> Iterator[RunningSupervisor]:
    with supervisors.running() as supervisor:
        yield supervisor


@pytest.fixture
async def client(shared_supervisor: RunningSupervisor) -> AsyncIterator[SandboxClient]:
    client = SandboxClient(shared_supervisor.socket)
    yield client
    await client.aclose()


def job_of(row: Row) -> Job:
    compiler, name = COMPILERS[Path(row.program).suffix]
    source = (PROGRAMS / row.program).read_bytes()
    return Job(compiler, {name: source}, name, stdin=row.stdin, limits=row.limits)


async def neighbour(client: SandboxClient) -> Result:
    return await client.run(Job("python-3.14", {"main.py": NEIGHBOUR}, "main.py"))


def left_on_the_host() -> list[str]:
    """Files and IPC objects outside the sandboxes that belong to one of their users, and core dumps."""
    files = [
        str(path) for folder in ("/dev/shm", "/tmp", "/var/tmp") for path in Path(folder).iterdir() if _is_theirs(path)
    ]
    objects = [
        f"{kind}: {line}"
        for kind in ("msg", "sem", "shm")
        for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
        if any(int(word) >= FIRST_UID for word in line.split()[3:] if word.isdigit() and len(word) == 10)
    ]
    return files + objects + [str(path) for path in Path("/").glob("core*")]


def _is_theirs(path: Path) -> bool:
    try:
        return path.lstat().st_uid >= FIRST_UID
    except FileNotFoundError:
        return False


def cgroups_of_a_sandbox() -> int:
    """One for each hierarchy: version 1 has one for each controller."""
    return len(list(Path("/sys/fs/cgroup").glob("*/runcode"))) or 1


def mounts_of(supervisor: RunningSupervisor) -> set[str]:
    """The ids of all mounts that the supervisor sees."""
    return {line.split()[0] for line in Path(f"/proc/{supervisor.pid}/mountinfo").read_text().splitlines()}


async def settled(supervisor: RunningSupervisor, client: SandboxClient) -> None:
    """Waits until no sandbox is left but those that are ready, each with its init and at most a waiting interpreter."""
    deadline = time.monotonic() + 8
    while True:
        status = await client.status()
        sandboxes = supervisor.sandboxes()
        if (
            status["running"] == 0
            and len(sandboxes) == status["ready"]
            and all(1 <= len(inside) <= 2 for inside in sandboxes.values())
        ):
            return
        assert time.monotonic() < deadline, (status, sandboxes)
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_the_sandbox_survives(row: Row, client: SandboxClient, shared_supervisor: RunningSupervisor) -> None:
    await neighbour(client)
    await settled(shared_supervisor, client)
    mounts, memory = mounts_of(shared_supervisor), supervisors.memory_of(shared_supervisor.pid)
    descriptors = shared_supervisor.descriptors()

    began = time.monotonic()
    beside = asyncio.create_task(neighbour(client))
    result = await client.run(job_of(row))
    took = time.monotonic() - began

    assert result.outcome in row.outcomes, result
    if result.outcome in KILLED:
        assert (result.exit_code, result.signal) == KILLED[result.outcome]
    if row.check is not None:
        row.check(result)
    undisturbed = await beside
    assert (undisturbed.outcome, undisturbed.stdout) == (Outcome.SUCCESS, NEIGHBOUR_PRINTS)
    following = await client.run(Job("python-3.14", {"main.py": b"print(6 * 7)"}, "main.py"))
    assert (following.outcome, following.stdout) == (Outcome.SUCCESS, b"42\n")
    assert took < (result.compile_seconds or 0.0) + row.limits.wall_seconds + 1.0
    await settled(shared_supervisor, client)
    assert left_on_the_host() == []
    assert mounts_of(shared_supervisor) <= mounts
    # Ready sandboxes come and go, a handful of descriptors each; what a run opened must be closed.
    assert shared_supervisor.descriptors() <= descriptors + 30
    slots = (await client.status())["ready"] + MOST_FREE + MOST_MAKING
    assert len(cgroup_directories(shared_supervisor.home)) <= slots * cgroups_of_a_sandbox()
    assert supervisors.memory_of(shared_supervisor.pid) < memory + 12 * MIB


def test_every_program_has_a_row() -> None:
    assert {row.program for row in ROWS} == {path.name for path in PROGRAMS.iterdir() if path.is_file()}


async def test_a_hundred_programs_draw_different_random_numbers(client: SandboxClient) -> None:
    code = b"import os, random, uuid; print(os.urandom(8).hex(), random.random(), hash('a'), uuid.uuid4())"
    limits = Limits(wall_seconds=10)
    results = [
        result
        for _ in range(10)
        for result in await asyncio.gather(
            *(client.run(Job("python-3.14", {"main.py": code}, "main.py", limits=limits)) for _ in range(10))
        )
    ]
    columns = list(zip(*(result.stdout.split() for result in results), strict=True))
    assert [len(set(column)) for column in columns] == [100] * 4
