"""What one process needs to count runs: the limiter, the keeper of its leases, the journal and the flusher.

A web process starts it with its server (`metering_service` in config/asgi.py) and drains it when that stops. Where no
lifespan is sent (another server, a command) it starts with the first run.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import structlog
from django.conf import settings

from accounts.ratelimits import LeaseKeeper, Limiter, make_limiter
from billing import flusher as flushing
from billing.flusher import Flusher
from billing.journal import Journal
from billing.periods import Period
from billing.sole_process import claim

_log = structlog.get_logger("runcode.billing")

T = TypeVar("T")


class Metering:
    """Belongs to the event loop that starts it."""

    def __init__(self, folder: Path, limiter: Limiter) -> None:
        """Raises billing.sole_process.AnotherProcess, and OSError where RUNCODE_HOME cannot be written."""
        self.loop = asyncio.get_running_loop()
        self.limiter = limiter
        self._lock = claim(folder, shared=limiter.shared)
        try:
            self.journal = Journal(folder)
        except OSError:
            os.close(self._lock)
            raise
        self.keeper = LeaseKeeper(limiter)
        self.flusher = Flusher(self.journal, limiter, folder)
        self._loading: dict[tuple[int, Period], asyncio.Task[None]] = {}
        self._under_way: set[asyncio.Task[Any]] = set()
        self._background: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Recovers what dead processes left, then starts the background tasks."""
        try:
            await self.flusher.recover()
        except flushing.Failure as error:
            # The database or Redis is not there yet. Nothing is admitted without them, and the flusher tries again.
            _log.warning("journals are not recovered yet", error=type(error).__name__)
        for work in (self.flusher.run(), self.keeper.run()):
            self._background.append(asyncio.create_task(work))

    async def stop(self) -> None:
        """Waits for what is under way, records what is waiting; what cannot be recorded stays in the journal."""
        for task in self._background:
            # Once may not do: until Python 3.12 asyncio.wait_for, with which redis-py sends, can lose a cancellation.
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=0.1)
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)
        await self.flusher.aclose()
        await self.limiter.aclose()
        self._let_go()

    def abandon(self) -> None:
        """Lets go of the thread and the files of a loop that is gone, as the death of its process would."""
        self.flusher.abandon()
        self._let_go()

    def _let_go(self) -> None:
        self.journal.close()
        os.close(self._lock)

    async def load_total(self, organisation_id: int, period: Period) -> None:
        """See `Flusher.load_total`; callers that come together share one look-up."""
        key = (organisation_id, period)
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = self.spawn(self.flusher.load_total(organisation_id, period))
            task.add_done_callback(lambda _: self._loading.pop(key, None))
        await asyncio.shield(task)

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """A task that is seen through: `stop` waits for it."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task


_current: Metering | None = None
_starting: "asyncio.Task[Metering] | None" = None


async def metering() -> Metering:
    """The running event loop's metering; started if it is not yet. Raises what its constructor does."""
    global _starting
    loop = asyncio.get_running_loop()
    if _current is not None and _current.loop is loop:
        return _current
    if _starting is None or _starting.get_loop() is not loop:
        _starting = asyncio.create_task(_start())
    return await asyncio.shield(_starting)


def current_metering() -> Metering | None:
    """This process' metering if it runs one: for reports, from any thread."""
    return _current


async def _start() -> Metering:
    global _current, _starting
    try:
        if _current is not None and _current.loop.is_closed():
            # A loop that ended without `stop` has died like a process; its journal is an orphan's.
            _current.abandon()
            _current = None
        started = Metering(settings.RUNCODE_HOME / "journal", make_limiter())
        await started.start()
        _current = started
        return started
    finally:
        _starting = None


@asynccontextmanager
async def metering_service() -> AsyncIterator[Metering]:
    """Runs the metering of a web process from its start to its stop."""
    global _current
    running = await metering()
    try:
        yield running
    finally:
        try:
            await running.stop()
        finally:
            _current = None
