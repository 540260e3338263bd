"""One process's share of the work: takes waiting runs and carries them out, as many at once as it has places."""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

import structlog
from django.db import DatabaseError, InterfaceError

from config.errors import ApiError
from execution.async_runs import outcomes, queue
from execution.async_runs.carrying import NotNow, carry_out
from execution.database_thread import DatabaseThread
from execution.models import Run
from execution.sandbox.job import Result

_log = structlog.get_logger("runcode.queue")

DATABASE_FAILURES = (DatabaseError, InterfaceError)

# How often somebody looks into the queue who was not told that there is something.
POLL_SECONDS: Final = 1.0
# How often runs are looked at that somebody wants to be ended, how often leases are renewed, in seconds.
WATCH_SECONDS: Final = 1.0
RENEW_SECONDS: Final = queue.LEASE_SECONDS / 3
# After an attempt that failed for our own reasons its place rests: doubled from the first to the last.
FIRST_REST, LAST_REST = 1.0, 30.0
# How long an outcome that cannot be recorded waits for the next attempt, in seconds.
RECORD_AGAIN_SECONDS: Final = 1.0


class Worker:
    """Belongs to one event loop. `work` serves the queue until cancelled, `work_once` takes one run and returns."""

    def __init__(self, *, places: int) -> None:
        self.id = f"{socket.gethostname()[:30]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._places = asyncio.Semaphore(places)
        self._database = DatabaseThread("queue")
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._last_organisation = 0
        self._failures = 0
        self._attempts: dict[int, asyncio.Task[Result]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching = asyncio.create_task(self._watch())

    def wake(self) -> None:
        """Something waits in the queue. From any thread."""
        with suppress(RuntimeError):  # the loop is closed: its process is stopping
            self._loop.call_soon_threadsafe(self._woken.set)

    async def work(self) -> None:
        """Carries out what waits, for ever. An outage of the database is outlasted."""
        while True:
            await self._places.acquire()
            task = asyncio.create_task(self._see_through(await self._next()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: self._places.release())

    async def work_once(self) -> bool:
        """Carries out one waiting run; False when there is none."""
        run = await self._claim()
        if run is None:
            return False
        task = asyncio.create_task(self._see_through(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)
        return True

    async def aclose(self) -> None:
        """Ends the programs and puts their runs back into the queue, for another worker or the next start."""
        self._stopping.set()
        for attempt in list(self._attempts.values()):
            attempt.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._watching.cancel()
        await asyncio.wait([self._watching])
        with suppress(*DATABASE_FAILURES):
            # A claim may have been on its way when nobody was to wait for it any more.
            await self._database(queue.leave, self.id)
        await self._database.aclose()

    async def _next(self) -> Run:
        while True:
            self._woken.clear()
            try:
                if run := await self._claim():
                    return run
            except DATABASE_FAILURES as error:
                _log.warning("the queue cannot be read", error=type(error).__name__)
            await _first(self._woken, POLL_SECONDS)

    async def _claim(self) -> Run | None:
        run = await self._database(queue.claim, self.id, after=self._last_organisation)
        self._last_organisation = run.organisation_id if run else 0
        return run

    async def _see_through(self, run: Run) -> None:
        """From the claim to the recorded outcome. Nobody cancels this, only the attempt within."""
        attempt = self._attempts[run.pk] = asyncio.create_task(carry_out(run))
        try:
            if run.cancel_requested or self._stopping.is_set():
                attempt.cancel()
            await asyncio.wait([attempt])
            await self._conclude(run, attempt)
        except Exception:
            _log.exception("a run is left to its lease", run=run.pk)
        finally:
            del self._attempts[run.pk]

    async def _conclude(self, run: Run, attempt: "asyncio.Task[Result]") -> None:
        if attempt.cancelled():
            await self._record(partial(queue.give_back if self._stopping.is_set() else outcomes.cancel, run))
        elif (error := attempt.exception()) is None:
            self._failures = 0
            await self._record(partial(outcomes.finish, run, attempt.result()))
        elif isinstance(error, ApiError):
            await self._record(partial(outcomes.refuse, run, error))
        else:
            if not isinstance(error, NotNow):
                _log.error("an attempt at a run failed", run=run.pk, exc_info=error)
            await self._record(partial(queue.give_back, run))
            await _first(self._stopping, min(FIRST_REST * 2**self._failures, LAST_REST))
            self._failures = min(self._failures + 1, 10)

    async def _record(self, record: Callable[[], object]) -> None:
        """Records in the database, however long that is away. A process that stops leaves it to the lease."""
        while True:
            try:
                await self._database(record)
            except DATABASE_FAILURES as error:
                _log.warning("an outcome is not recorded yet", error=type(error).__name__)
                if self._stopping.is_set():
                    return
                await _first(self._stopping, RECORD_AGAIN_SECONDS)
            else:
                return

    async def _watch(self) -> None:
        """Renews the leases of what is carried out here, and ends what somebody wants to be ended."""
        renewed_at = self._loop.time()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if not self._attempts:
                continue
            try:
                for run_id in await self._database(queue.to_cancel, list(self._attempts)):
                    if attempt := self._attempts.get(run_id):
                        attempt.cancel()
                if self._loop.time() - renewed_at >= RENEW_SECONDS:
                    renewed_at = self._loop.time()
                    await self._database(queue.renew, self.id, list(self._attempts))
            except DATABASE_FAILURES as error:
                _log.warning("leases are not renewed", error=type(error).__name__)


async def _first(event: asyncio.Event, seconds: float) -> None:
    """Waits for the event, but no longer than that."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
