"""The connections that are open in this process, and the task that ends those whose key is no longer good.

A key that is revoked, restricted or expires ends its connections, and so does an account secret that is replaced: at
once when a process or page tells of the change (broadcast topics `key` and `account-secret`), and within
`EVERY_SECONDS` when only time has passed. To look at a connection again costs one access to the memory of keys.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from accounts import broadcast
from accounts.authentication import TOPIC
from accounts.organisations import SECRET_TOPIC

EVERY_SECONDS: Final = 5.0
# Others come to their turn in between.
_AT_ONCE: Final = 100


class Checked(Protocol):
    async def check(self) -> bool:
        """Looks whether the connection may stay, and ends it otherwise."""


_open: set[Checked] = set()
_watch: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None


@contextmanager
def listed(connection: Checked) -> Iterator[None]:
    _open.add(connection)
    try:
        yield
    finally:
        _open.discard(connection)


def count() -> int:
    return len(_open)


async def keep_checking() -> None:
    """A background task of each web process; runs until cancelled."""
    global _watch
    changed = asyncio.Event()
    _watch = asyncio.get_running_loop(), changed
    try:
        while True:
            changed.clear()
            # While nothing is sure to be heard, each look would be one at the database; what was missed meanwhile is
            # told afterwards, and no program is started without a look.
            if broadcast.healthy:
                await _check_all()
            await _wait(changed)
    finally:
        _watch = None


async def _check_all() -> None:
    for number, connection in enumerate(list(_open)):
        if connection in _open:
            await connection.check()
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)


async def _wait(changed: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(EVERY_SECONDS):
            await changed.wait()
    except TimeoutError:
        pass


def _told(_key: str) -> None:
    # Maybe in a page's thread.
    if _watch is not None:
        loop, changed = _watch
        loop.call_soon_threadsafe(changed.set)


broadcast.subscribe(TOPIC, _told)
broadcast.subscribe(SECRET_TOPIC, _told)
