"""The live contexts of a host: kernels that keep what their cells did, until they are closed or nobody uses them."""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from execution.sandbox.cells import Cell, CellResult, ContextInfo, Item
from execution.sandbox.context_files import Files
from execution.sandbox.errors import ContextBusy, ContextEnded, ContextsFull, ContextUnknown
from execution.sandbox.job import MIB, Limits
from execution.sandbox.kernel import Kernel
from execution.sandbox.live import Live

log = logging.getLogger(__name__)

T = TypeVar("T")

# How many cells may wait for the one that runs.
MOST_WAITING = 16
# What a context is counted with against the host's memory. Idle ones take a tenth of their limit.
MEMORY_PER_CONTEXT, MEMORY_SHARE = 96 * MIB, 0.5
# How often contexts that nobody uses are looked for, in seconds.
EXPIRY_INTERVAL = 2.0

Launch = Callable[[str], Awaitable[Kernel]]


@dataclass(eq=False)
class _Context:
    id: str
    scope: str
    kernel_id: str
    limits: Limits
    idle_seconds: float
    kernel: Kernel
    opened_at: float = field(default_factory=time.time)
    used_at: float = field(default_factory=time.time)
    count: int = 0
    waiting: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    closed: bool = False

    @property
    def info(self) -> ContextInfo:
        state = "busy" if self.turn.locked() else "idle" if self.kernel.alive else "ended"
        return ContextInfo(
            id=self.id,
            kernel=self.kernel_id,
            state=state,
            count=self.count,
            waiting=self.waiting,
            opened_at=self.opened_at,
            used_at=self.used_at,
            expires_at=self.used_at + self.idle_seconds,
            memory_bytes=self.kernel.memory_bytes,
        )


class Contexts:
    """All of them, found by their id and the scope (the customer) that opened them. `launch` makes the kernel of an id,
    or takes one that is ready."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._contexts: dict[str, _Context] = {}
        self._opening: dict[str, int] = {}
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        self._most = max(4, int(memory * MEMORY_SHARE / MEMORY_PER_CONTEXT))

    async def open(self, *, scope: str, kernel: str, limits: Limits, idle_seconds: float, most: int) -> ContextInfo:
        """A new context; `most` is how many the scope may have. Raises ContextsFull, ToolchainMissing, SandboxError."""
        opening = self._opening.get(scope, 0)
        if sum(context.scope == scope for context in self._contexts.values()) + opening >= most:
            raise ContextsFull(f"All {most} contexts of this account are open. Close one, or wait until one expires.")
        if len(self._contexts) + sum(self._opening.values()) >= self._most:
            raise ContextsFull("This host has no room for another context right now. Try again in a moment.")
        self._opening[scope] = opening + 1
        try:
            made = await self._launched(kernel, limits)
        finally:
            self._opening[scope] -= 1
            if not self._opening[scope]:
                del self._opening[scope]
        context = _Context(secrets.token_urlsafe(18), scope, kernel, limits, idle_seconds, made)
        self._contexts[context.id] = context
        return context.info

    async def execute(
        self, *, scope: str, context_id: str, cell: Cell, live: Live | None, on_item: Callable[[Item], None]
    ) -> CellResult:
        """Runs a cell after those that wait already. Cancelling interrupts it, or takes it out of the queue. Raises
        ContextUnknown, ContextEnded and ContextBusy."""
        context = self._get(scope, context_id)
        if context.waiting > MOST_WAITING:
            raise ContextBusy(
                f"{MOST_WAITING} cells wait for this context already. Wait for an answer, then send more."
            )
        context.waiting += 1
        try:
            async with context.turn:
                if context.closed:
                    raise ContextUnknown("The context was closed before this cell could run.")
                if not context.kernel.alive:
                    raise ContextEnded("The context has lost its state. Restart it, or open a new one.")
                context.count += 1
                return await context.kernel.execute(cell, context.count, live=live, on_item=on_item)
        finally:
            context.waiting -= 1
            context.used_at = time.time()
            if live is not None:
                live.detach()

    async def about_files(self, *, scope: str, context_id: str, work: Callable[[Files], Awaitable[T]]) -> T:
        """Waits for no cell. Raises ContextUnknown, and what Files does."""
        context = self._get(scope, context_id)
        context.used_at = time.time()
        return await context.kernel.about_files(work)

    def interrupt(self, *, scope: str, context_id: str) -> ContextInfo:
        context = self._get(scope, context_id)
        context.kernel.interrupt()
        return context.info

    async def restart(self, *, scope: str, context_id: str) -> ContextInfo:
        """The same context with nothing in it: its state, its files and its count begin anew."""
        context = self._get(scope, context_id)
        context.kernel.interrupt()
        async with context.turn:
            if context.closed:
                raise ContextUnknown("The context was closed before it could be restarted.")
            fresh = await self._launched(context.kernel_id, context.limits)
            old, context.kernel = context.kernel, fresh
            context.count, context.used_at = 0, time.time()
        await old.destroy()
        return context.info

    async def close(self, *, scope: str, context_id: str) -> None:
        await self._end(self._get(scope, context_id))

    async def fit(self, *, scope: str, limits: Limits, idle_seconds: float, most: int) -> list[ContextInfo]:
        """Other terms for all contexts of a scope: those past `most` are closed, the longest unused first, and no busy
        one before an idle one. `limits` hold from a restart on. Returns what is left."""
        contexts = [context for context in self._contexts.values() if context.scope == scope]
        contexts.sort(key=lambda context: (context.turn.locked(), context.used_at))
        for context in contexts:
            context.limits, context.idle_seconds = limits, idle_seconds
        await asyncio.gather(*(self._end(context) for context in contexts[: max(0, len(contexts) - most)]))
        return self.listed(scope=scope)

    def listed(self, *, scope: str) -> list[ContextInfo]:
        return [context.info for context in self._contexts.values() if context.scope == scope]

    def info(self, *, scope: str, context_id: str) -> ContextInfo:
        return self._get(scope, context_id).info

    @property
    def count(self) -> int:
        return len(self._contexts)

    async def expire(self) -> None:
        """Closes those that nobody used for their idle time, again and again."""
        while True:
            await asyncio.sleep(EXPIRY_INTERVAL)
            for context in list(self._contexts.values()):
                if not context.turn.locked() and context.info.expires_at < time.time():
                    await self._end(context)

    async def close_all(self) -> None:
        await asyncio.gather(*(self._end(context) for context in list(self._contexts.values())))

    def _get(self, scope: str, context_id: str) -> _Context:
        context = self._contexts.get(context_id)
        if context is None or context.scope != scope:
            raise ContextUnknown("There is no such context: it was closed, it has expired, or it never was.")
        return context

    async def _launched(self, kernel_id: str, limits: Limits) -> Kernel:
        made = await self._launch(kernel_id)
        try:
            await made.limit(limits)
        except BaseException:
            await made.destroy()
            raise
        return made

    async def _end(self, context: _Context) -> None:
        if self._contexts.pop(context.id, None):
            context.closed = True
            await context.kernel.destroy()
