"""What lives as long as the web process: background tasks and connections, entered at start, left in reverse order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

import structlog

from config.asgi_types import Receive, Scope, Send

_log = structlog.get_logger("runcode.lifespan")

Service = Callable[[], AbstractAsyncContextManager[object]]


RESTART_SECONDS: Final = 1.0
# For the last work of a task that was cancelled, such as writing what it still holds.
PATIENCE_SECONDS: Final = 5.0


def background(work: Callable[[], Awaitable[None]]) -> Service:
    """A service that is one task: cancelled in the end, and started again when an error ended it before."""

    async def keep_going() -> None:
        while True:
            try:
                return await work()
            except Exception:
                _log.exception("background task failed", task=_name(work))
            await asyncio.sleep(RESTART_SECONDS)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        task = asyncio.create_task(keep_going(), name=_name(work))
        try:
            yield
        finally:
            # Before Python 3.12 a library's wait_for can swallow a cancellation: it is said again until it is heard.
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=PATIENCE_SECONDS)

    return running


def _name(work: Callable[[], Awaitable[None]]) -> str:
    return getattr(work, "__qualname__", repr(work))


class Lifespan:
    """The ASGI lifespan protocol over a list of async context managers.

    A service that cannot start stops the process: the server prints the error's text and exits.
    """

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                for service in self._services:
                    await stack.enter_async_context(service())
            except Exception as error:
                _log.exception("could not start")
                await send({"type": "lifespan.startup.failed", "message": f"Could not start: {error}"})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})
