"""A program under one of the debuggers, step by step, in the real sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from execution.sandbox.cells import Cell, CellResult
from execution.sandbox.client import SandboxClient
from execution.sandbox.context_client import ContextClient
from execution.sandbox.job import Limits
from execution.sandbox.live import Live
from tests.sandbox.supervisors import RunningSupervisor


class Debugged:
    def __init__(self, client: ContextClient, context_id: str) -> None:
        self.client = client
        self.context_id = context_id
        self.output = ""

    async def cell(self, code: str, *, live: Live | None = None, **fields: Any) -> CellResult:
        result = await self.client.execute(scope="1", context_id=self.context_id, cell=Cell(code, **fields), live=live)
        self.output += result.stdout.decode()
        return result

    async def step(self) -> dict[str, Any]:
        return shown(await self.cell("step"))

    async def interrupted_step(self) -> CellResult:
        """A step that is interrupted while it runs."""
        waiting = asyncio.create_task(self.cell("step"))
        await asyncio.sleep(0.3)
        await self.client.interrupt(scope="1", context_id=self.context_id)
        return await waiting

    async def lines(self, most: int = 100) -> list[int]:
        """Steps to the end: the lines of the innermost frame."""
        lines = []
        for _ in range(most):
            told = await self.step()
            if told["done"]:
                assert told["stack"] == []
                return lines
            lines.append(told["stack"][0]["line"])
        raise AssertionError(f"it has not ended after {most} steps: {lines}")


def shown(result: CellResult) -> dict[str, Any]:
    (item,) = result.items
    told: dict[str, Any] = item.data["application/json"]
    assert set(told) == {"done", "stack"}
    return told


@asynccontextmanager
async def debugger(supervisor: RunningSupervisor, kernel: str) -> AsyncIterator[Debugged]:
    client = SandboxClient(supervisor.socket)
    contexts = ContextClient(client)
    info = await contexts.open(scope="1", kernel=kernel, limits=Limits(), idle_seconds=600, most=50)
    yield Debugged(contexts, info.id)
    await contexts.close(scope="1", context_id=info.id)
    await client.aclose()
