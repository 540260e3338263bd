"""The queue's part in a web process without a broker: a worker, and the sweep that finds the runs of dead ones."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from execution.async_runs import queue
from execution.async_runs.worker import Worker
from execution.bells import runs_waiting
from execution.database_thread import DatabaseThread

_log = structlog.get_logger("runcode.queue")

SWEEP_SECONDS: Final = 3.0


def places() -> int:
    """How many queued runs this process carries out at once: RUNCODE_ASYNC_RUNS, else as many as there are processors
    (two at least), shared out among the web processes. Synchronous runs go first that way, they need no place."""
    if settings.ASYNC_RUNS:
        return int(settings.ASYNC_RUNS)
    return max(len(os.sched_getaffinity(0)) // int(settings.WEB_WORKERS), 2)


@asynccontextmanager
async def queue_service() -> AsyncIterator[Worker]:
    worker = Worker(places=places())
    tasks = [asyncio.create_task(worker.work()), asyncio.create_task(sweep_forever())]
    try:
        with runs_waiting.answered_by(worker.wake):
            yield worker
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await worker.aclose()


async def sweep_forever() -> None:
    """Puts the runs of dead workers back into the queue, until cancelled."""
    database = DatabaseThread("sweep")
    try:
        while True:
            try:
                if found := await database(queue.requeue_lapsed):
                    _log.warning("runs of dead workers are queued again", runs=found)
                    for _ in range(found):
                        runs_waiting.ring()
            except (DatabaseError, InterfaceError) as error:
                _log.warning("the queue cannot be swept", error=type(error).__name__)
            await asyncio.sleep(SWEEP_SECONDS)
    finally:
        await database.aclose()
