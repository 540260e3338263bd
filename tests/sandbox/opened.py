"""Contexts as the tests open them, and what the host shows of them."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from pathlib import Path

from execution.sandbox.cells import Cell, CellOutcome, CellResult
from execution.sandbox.context_client import ContextClient
from execution.sandbox.job import Limits

ALICE, CHARLIE = "1", "2"


class Context:
    """An open context of Alice's."""

    def __init__(self, client: ContextClient, context_id: str) -> None:
        self.client = client
        self.id = context_id

    async def run(self, code: str, **cell: object) -> CellResult:
        return await self.client.execute(
            scope=ALICE,
            context_id=self.id,
            cell=Cell(code, **cell),  # type: ignore[arg-type]
        )

    async def value(self, code: str) -> str:
        """The cell's value as text."""
        result = await self.run(code)
        assert result.outcome is CellOutcome.SUCCESS, result
        (item,) = (item for item in result.items if item.primary)
        return str(item.data["text/plain"])


async def open_context(
    contexts: ContextClient, *, kernel: str = "python", idle_seconds: float = 600, most: int = 50
) -> Context:
    info = await contexts.open(scope=ALICE, kernel=kernel, limits=Limits(), idle_seconds=idle_seconds, most=most)
    return Context(contexts, info.id)


async def leave_child(context: Context) -> bytes:
    """Has a cell leave a child process behind; the command line by which it is found on the host."""
    seconds = str(random.randrange(10**5, 10**6))
    await context.run(f"import subprocess; child = subprocess.Popen(['sleep', '{seconds}'])")
    command = f"sleep\0{seconds}\0".encode()
    await until(lambda: len(processes(command)) == 1)
    return command


def processes(command: bytes) -> list[int]:
    """The host's processes with this command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes() == command:
                found.append(int(path.parent.name))
    return found


async def until_gone(command: bytes) -> None:
    await until(lambda: not processes(command))


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def sharing_pids_with(pid: int) -> list[int]:
    """The processes of a sandbox, its process 1 too."""
    namespace = Path(f"/proc/{pid}/ns/pid").readlink()
    found = []
    for path in Path("/proc").glob("[0-9]*/ns/pid"):
        with contextlib.suppress(OSError):
            if path.readlink() == namespace:
                found.append(int(path.parts[2]))
    return found
