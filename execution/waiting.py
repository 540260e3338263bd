"""Waiting until a row has ended: a run or a batch, whichever process works on it.

What ends in this process is told at once (`ended`). For the rest one task per event loop looks into the database,
for all that are waited for together, so a thousand clients who wait cost no more queries than one.
"""

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import Final
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError

from execution.models import Batch, Run

Row = type[Run] | type[Batch]

LOOK_SECONDS: Final = 0.25
ENDED: Final = ("finished", "cancelled")


class Waiting:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._events: defaultdict[tuple[Row, int], list[asyncio.Event]] = defaultdict(list)
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, rows: Row, pk: int, seconds: float) -> None:
        """Returns when that row has ended, or after so many seconds."""
        event = asyncio.Event()
        self._events[rows, pk].append(event)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await event.wait()
        finally:
            self._events[rows, pk].remove(event)
            if not self._events[rows, pk]:
                del self._events[rows, pk]
            if not self._events and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    def ended(self, rows: Row, pk: int) -> None:
        for event in self._events.get((rows, pk), ()):
            event.set()

    async def _look(self) -> None:
        while True:
            for rows in (Run, Batch):
                if wanted := [pk for row, pk in self._events if row is rows]:
                    # An outage of the database is not this task's to report: who waits asks it next.
                    with suppress(DatabaseError, InterfaceError):
                        for pk in await database_sync_to_async(_ended)(rows, wanted):
                            self.ended(rows, pk)
            await asyncio.sleep(LOOK_SECONDS)


def _ended(rows: Row, wanted: list[int]) -> list[int]:
    return list(rows._default_manager.filter(pk__in=wanted, status__in=ENDED).values_list("pk", flat=True))


_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Waiting] = WeakKeyDictionary()


def _waiting() -> Waiting:
    loop = asyncio.get_running_loop()
    waiting = _of_loop.get(loop)
    if waiting is None:
        waiting = _of_loop[loop] = Waiting()
    return waiting


async def wait_until_ended(rows: Row, pk: int, seconds: float) -> None:
    """Returns when that run or batch has ended, or after so many seconds."""
    await _waiting().wait(rows, pk, seconds)


def ended(rows: Row, pk: int) -> None:
    """Tells those of this event loop who wait for it."""
    if waiting := _of_loop.get(asyncio.get_running_loop()):
        waiting.ended(rows, pk)
