"""Runs that somebody watches: output as it comes, input while they run, and a program that waits for a slow reader."""

import asyncio
import time

import pytest

from execution.sandbox.client import SandboxClient
from execution.sandbox.job import MIB, Job, Limits, Outcome, Result
from execution.sandbox.live import MOST_INPUT, Live
from tests.sandbox.supervisors import RunningSupervisor, memory_of


@pytest.fixture
def supervisor(every_supervisor: RunningSupervisor) -> RunningSupervisor:
    return every_supervisor


ECHO = b"""import sys
print("name?", flush=True)
name = input()
print("hello", name, flush=True)
print("again?", file=sys.stderr, flush=True)
print(len(sys.stdin.read()))"""


class Watcher:
    """What a live run has shown so far, and a way to wait for more."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.shown = {"stdout": b"", "stderr": b""}
        self._changed = asyncio.Event()
        self.live = Live(on_output=self._on_output, on_state=self.states.append)

    def _on_output(self, stream: str, data: bytes) -> None:
        self.shown[stream] += data
        self._changed.set()

    async def sees(self, stream: str, text: bytes) -> None:
        async with asyncio.timeout(20):
            while text not in self.shown[stream]:
                self._changed.clear()
                await self._changed.wait()


def python(code: bytes, **job: object) -> Job:
    return Job("python-3.14", {"main.py": code}, "main.py", **job)  # type: ignore[arg-type]


def test_input_is_taken_up_to_its_limit_and_until_its_end() -> None:
    live = Live(on_output=lambda _stream, _data: None)
    assert live.write(b"x" * MOST_INPUT)
    assert not live.write(b"x")
    live.end_input()
    assert not live.write(b"")


async def test_a_program_asks_and_is_answered_while_it_runs(client: SandboxClient) -> None:
    watcher = Watcher()
    run = asyncio.create_task(client.run(python(ECHO), watcher.live))
    await watcher.sees("stdout", b"name?\n")
    assert watcher.live.write(b"Ada\n")
    await watcher.sees("stdout", b"hello Ada\n")
    await watcher.sees("stderr", b"again?\n")
    assert watcher.live.write(b"four")
    watcher.live.end_input()
    result = await run
    assert (result.outcome, result.stdout, result.stderr) == (
        Outcome.SUCCESS,
        b"name?\nhello Ada\n4\n",
        b"again?\n",
    )
    assert watcher.shown == {"stdout": result.stdout, "stderr": result.stderr}
    assert watcher.states == ["running"]


async def test_input_from_before_the_start_comes_after_the_jobs_own(client: SandboxClient) -> None:
    watcher = Watcher()
    watcher.live.write(b"two\n")
    watcher.live.end_input()
    result = await client.run(python(b"import sys; print(sys.stdin.read())", stdin=b"one\n"), watcher.live)
    assert result.stdout == b"one\ntwo\n\n"


async def test_compiling_is_told_apart_from_running(client: SandboxClient) -> None:
    watcher = Watcher()
    watcher.live.end_input()
    await client.run(Job("gcc-15", {"main.c": b"int main(void) { return 0; }"}, "main.c"), watcher.live)
    assert watcher.states == ["compiling", "running"]


async def test_a_paused_reader_holds_the_program_back_and_costs_no_memory(
    client: SandboxClient, supervisor: RunningSupervisor
) -> None:
    code = b"import os\nfor n in range(64): os.write(1, b'y' * 65536)\nopen('done', 'w')"
    job = python(code, limits=Limits(output_bytes=8 * MIB), output_files=("done",))
    watcher = Watcher()
    memory = memory_of(supervisor.pid)
    watcher.live.pause()
    run: asyncio.Task[Result] = asyncio.create_task(client.run(job, watcher.live))
    await asyncio.sleep(1)
    held = memory_of(supervisor.pid) - memory
    assert not run.done()
    assert watcher.shown["stdout"] == b""
    watcher.live.resume()
    result = await run
    assert (result.outcome, len(watcher.shown["stdout"]), len(result.files)) == (Outcome.SUCCESS, 4 * MIB, 1)
    assert held < 2 * MIB


async def test_a_watched_program_that_waits_for_ever_meets_its_time_limit(client: SandboxClient) -> None:
    watcher = Watcher()
    result = await client.run(python(b"print('begun'); input()", limits=Limits(wall_seconds=0.5)), watcher.live)
    assert (result.outcome, result.stdout) == (Outcome.TIME_LIMIT, b"begun\n")


async def test_input_that_nobody_reads_harms_nobody(client: SandboxClient) -> None:
    watcher = Watcher()
    watcher.live.write(b"z" * MOST_INPUT)
    result = await client.run(python(b"import time; time.sleep(0.3); print('done')"), watcher.live)
    assert result.stdout == b"done\n"
    assert (await client.run(python(b"print(1)"))).stdout == b"1\n"


async def test_a_connection_is_good_for_the_next_run_after_input_that_came_too_late(client: SandboxClient) -> None:
    watcher = Watcher()
    run = asyncio.create_task(client.run(python(b"print('over')"), watcher.live))
    while not run.done():
        watcher.live.write(b".")
        await asyncio.sleep(0)
    assert [(await client.run(python(b"print(2)"))).stdout for _ in range(3)] == [b"2\n"] * 3


async def test_who_stops_watching_takes_the_program_along(client: SandboxClient) -> None:
    watcher = Watcher()
    run = asyncio.create_task(client.run(python(b"print('up', flush=True); input()"), watcher.live))
    await watcher.sees("stdout", b"up\n")
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    deadline = time.monotonic() + 10
    while (await client.status())["running"]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
