"""Asynchronous batches: each process takes some from the table, and carries them out.

One at a time per organisation while others wait, so that a queue of a hundred batches holds up nobody else's first.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Final

import structlog
from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError

from accounts.caller import Caller
from config.errors import ApiError, Unavailable
from execution.batch_requests import BatchRequest
from execution.batches import rows
from execution.batches.carrying import Carrying
from execution.batches.cases import Ending
from execution.models import Batch

_log = structlog.get_logger("runcode.batches")

PLACES: Final = 2
"""Batches that one process carries out at once."""

POLL_SECONDS: Final = 1.0
_FAILURES: Final = (DatabaseError, InterfaceError)


@lru_cache(maxsize=1)
def process_name() -> str:
    """Whose leases this process holds."""
    return f"{socket.gethostname()[:30]}-{os.getpid()}-{secrets.token_hex(4)}"


class BatchWorker:
    """Belongs to one event loop."""

    def __init__(self, *, places: int = PLACES) -> None:
        self._places = places
        self._woken = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """A batch waits."""
        self._woken.set()

    async def work(self) -> None:
        """Carries out what waits, for ever. When cancelled, gives back what is under way."""
        try:
            while True:
                self._woken.clear()
                try:
                    await self._take()
                    await database_sync_to_async(rows.end_lapsed)()
                except _FAILURES as error:
                    _log.warning("batches cannot be read", error=type(error).__name__)
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._woken.wait()
        finally:
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def _take(self) -> None:
        while len(self._tasks) < self._places:
            batch: Batch | None = await database_sync_to_async(rows.claim)(process_name())
            if batch is None:
                return
            task = asyncio.create_task(carry_out(batch))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._woken.set()


async def carry_out(batch: Batch) -> None:
    """A batch that was claimed, from where its rows end. Cancelling the call gives it back."""
    caller = Caller(batch.organisation_id, batch.key_id, "api")
    try:
        if batch.attempts > rows.MOST_ATTEMPTS:
            raise Unavailable("The batch could not be run in spite of many attempts.", code="sandbox_unavailable")
        request = BatchRequest.from_data(batch.request_data or {})
    except ApiError as error:
        # The latter: it was taken by another release of the service, whose caps or compilers differ.
        _log.error("a batch is given up", batch=batch.pk, error=error.message)
        await database_sync_to_async(rows.finish)(batch, Ending(error=error), judged=0, keep_sources=True)
        return
    carrying = Carrying(batch, request, caller=caller)
    try:
        await carrying.run(done=await database_sync_to_async(rows.done)(batch))
    except asyncio.CancelledError:
        await carrying.give_back()
        raise
    except rows.NotMine:
        _log.warning("a batch was taken by another worker", batch=batch.pk)
    except Exception:
        _log.exception("a batch is left to its lease", batch=batch.pk)


_current: BatchWorker | None = None


def wake() -> None:
    """Tells this process's worker that a batch waits."""
    if _current is not None:
        _current.wake()


@asynccontextmanager
async def batch_service() -> AsyncIterator[None]:
    """Carries out batches for as long as a web process lives."""
    global _current
    _current = BatchWorker()
    task = asyncio.create_task(_current.work())
    try:
        yield
    finally:
        _current = None
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=5)
