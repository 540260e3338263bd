"""Messages to Celery's workers, where there is a broker: something waits, come and look.

One is sent for each run and each delivery when it begins to wait. What got lost with a worker or with the broker is
made good by the web processes, which look into the tables now and then, and see when a delivery is due again.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import structlog
from celery import current_app
from django.db import DatabaseError, InterfaceError

from execution.async_runs import queue
from execution.async_runs.service import sweep_forever
from execution.bells import deliveries_due, runs_waiting
from execution.callbacks import deliveries
from execution.database_thread import DatabaseThread

_log = structlog.get_logger("runcode.queue")

CARRY_OUT_NEXT, DELIVER_DUE = "execution.carry_out_next", "execution.deliver_due"
DELIVERIES_AT_ONCE: Final = 8
"""How many deliveries one message is good for."""

LOOK_SECONDS: Final = 2.0
FORGOTTEN_SECONDS: Final = 20.0
"""A run that waits for longer may have had its message lost, and is told of again."""

MOST_AGAIN: Final = 16
"""Messages in one look. They are void some looks later, so that they do not pile up while all workers are busy."""

EXPIRES_SECONDS: Final = 10.0
MOST_UNSENT: Final = 1_000


class Messenger:
    """Sends in a thread of its own: a broker that is away keeps nobody waiting."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="broker")
        self._unsent = 0

    def send(self, task: str, *, expires: float | None = None) -> None:
        if self._unsent < MOST_UNSENT:
            self._unsent += 1
            self._thread.submit(self._send, task, expires)

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _send(self, task: str, expires: float | None) -> None:
        try:
            current_app.send_task(task, retry=False, expires=expires)
        except Exception as error:
            _log.warning("the broker cannot be reached", error=type(error).__name__)
        finally:
            self._unsent -= 1


@contextmanager
def announcing() -> Iterator[Messenger]:
    """Within the block Celery's workers are told of whatever begins to wait in this process."""
    messenger = Messenger()
    try:
        with (
            runs_waiting.answered_by(lambda: messenger.send(CARRY_OUT_NEXT)),
            deliveries_due.answered_by(lambda: messenger.send(DELIVER_DUE)),
        ):
            yield messenger
    finally:
        messenger.close()


@asynccontextmanager
async def ticket_service() -> AsyncIterator[None]:
    """What a web process does for the queue and for callbacks where Celery's workers do the work."""
    with announcing() as messenger:
        tasks = [asyncio.create_task(sweep_forever()), asyncio.create_task(_look_forever(messenger))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def _look_forever(messenger: Messenger) -> None:
    database = DatabaseThread("look")
    try:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                runs = await database(queue.forgotten, seconds=FORGOTTEN_SECONDS, most=MOST_AGAIN)
                due = -(-await database(deliveries.due) // DELIVERIES_AT_ONCE)
            except (DatabaseError, InterfaceError) as error:
                _log.warning("the queue cannot be read", error=type(error).__name__)
                continue
            for task, number in ((CARRY_OUT_NEXT, runs), (DELIVER_DUE, min(due, MOST_AGAIN))):
                for _ in range(number):
                    messenger.send(task, expires=EXPIRES_SECONDS)
    finally:
        await database.aclose()
