"""Every hostile program of `rows`, against the real driver, and after each the same five assertions: a program beside
it was not disturbed, the next program is right and finds nothing, nothing is left on the host, it took no longer than
its limit and a second, and the supervisor's memory did not grow."""

import asyncio
import time

import pytest

from execution.sandbox.client import SandboxClient
from execution.sandbox.errors import ToolchainMissing
from execution.sandbox.job import Job, Outcome, Result
from tests.abuse.hosts import Host
from tests.abuse.rows import APART, PROGRAMS, ROWS, Row
from tests.abuse.verdicts import KILLED

# On a new Docker Engine the first test waits until the toolchains' roots have become images.
pytestmark = pytest.mark.timeout(600)
NEIGHBOUR = b"import time\nfor n in range(12): time.sleep(0.05); print(n)\nprint(sum(range(10**5)))"
NEIGHBOUR_PRINTS = b"".join(b"%d\n" % n for n in range(12)) + b"4999950000\n"
FINDS_NOTHING = PROGRAMS / "finds_nothing.py"
# Enough for one of them to have what the hostile program's sandbox had: its user, control group and network. Containers
# have nothing of another's.
FOLLOWING = {"native": 3, "docker": 1}
# A sandbox is gone within a second of its limit; test processes that run side by side get that second late.
PATIENCE = 5.0


async def python(client: SandboxClient, code: bytes) -> Result:
    return await client.run(Job("python-3.14", {"main.py": code}, "main.py"))


def seconds_allowed(row: Row, result: Result) -> float:
    if result.outcome is Outcome.COMPILE_ERROR:
        return row.limits.compile_seconds + PATIENCE
    return (result.compile_seconds or 0.0) + row.limits.wall_seconds + PATIENCE


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_the_sandbox_survives(row: Row, client: SandboxClient, host: Host) -> None:
    await python(client, NEIGHBOUR)
    await host.settled(client)
    before = host.standing()

    beside = asyncio.create_task(python(client, NEIGHBOUR))
    began = time.monotonic()
    try:
        result = await client.run(row.job())
    except ToolchainMissing:
        beside.cancel()
        pytest.skip(f"{row.compiler} is not installed")
    took = time.monotonic() - began

    assert result.outcome in row.outcomes, result
    if result.outcome in KILLED:
        assert (result.exit_code, result.signal) == KILLED[result.outcome]
    if row.check is not None:
        row.check(result)
    undisturbed = await beside
    assert (undisturbed.outcome, undisturbed.stdout) == (Outcome.SUCCESS, NEIGHBOUR_PRINTS)
    assert took < seconds_allowed(row, result)
    await host.settled(client)
    for _ in range(FOLLOWING[host.driver]):
        following = await python(client, FINDS_NOTHING.read_bytes())
        assert (following.outcome, following.stdout) == (Outcome.SUCCESS, b"42\n"), following
    await host.settled(client)
    assert host.left(before) == []


def test_every_program_has_a_row() -> None:
    assert {row.program for row in ROWS} | APART == {path.name for path in PROGRAMS.iterdir()}
