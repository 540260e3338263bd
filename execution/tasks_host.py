"""The event loop of a Celery worker: a thread in which its runs are carried out and its callbacks sent.

Celery's own threads and processes only wait for it. It starts with the first task, so that a process which Celery forks
has one of its own.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Final, TypeVar

from accounts import broadcast
from billing.metering import metering_service
from execution.async_runs.worker import Worker
from execution.callbacks.courier import Courier
from execution.sandbox_clients import sandbox_connections
from execution.tickets import announcing

T = TypeVar("T")

STOP_SECONDS: Final = 20.0


class Host:
    """What a web process has for the queue and for callbacks, without the web. Raises what starting it raises."""

    def __init__(self) -> None:
        self.worker: Worker
        self.courier: Courier
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._calls: set[asyncio.Task[Any] | None] = set()
        work = (self._live(),)
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=work, name="host", daemon=True)
        self._thread.start()
        self.run(self._started)

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Awaits `work()` on the loop; returns what it returns. From any other thread."""

        async def awaited() -> T:
            call = asyncio.current_task()
            self._calls.add(call)
            try:
                return await work()
            finally:
                self._calls.discard(call)

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result()

    def stop(self) -> None:
        """Puts what is carried out back into the queue, then ends the thread."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(STOP_SECONDS)

    async def _started(self) -> None:
        await asyncio.shield(self._ready)

    async def _live(self) -> None:
        async with AsyncExitStack() as stack:
            try:
                stack.enter_context(announcing())
                await stack.enter_async_context(sandbox_connections())
                stack.push_async_callback(_end, asyncio.create_task(broadcast.listen()))
                await stack.enter_async_context(metering_service())
                self.worker, self.courier = Worker(places=1), Courier()
                stack.push_async_callback(self.worker.aclose)
                stack.push_async_callback(self.courier.aclose)
            except BaseException as error:
                self._ready.set_exception(error)
                raise
            self._ready.set_result(None)
            await self._stopped.wait()
        while self._calls:
            # Their threads wait for an answer, which nobody could give them after the loop.
            await asyncio.sleep(0.01)


async def _end(task: "asyncio.Task[None]") -> None:
    # Once may not do: until Python 3.12 asyncio.wait_for, with which redis-py sends, can lose a cancellation.
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.1)


_host: Host | None = None
_ending = False
_one_at_a_time = threading.Lock()


def host() -> Host | None:
    """This process' host, started when it is first asked for; None when the process is stopping."""
    global _host
    with _one_at_a_time:
        if _host is None and not _ending:
            _host = Host()
        return _host


def stop_host() -> None:
    """Ends it, for good."""
    global _host, _ending
    with _one_at_a_time:
        running, _host, _ending = _host, None, True
    if running is not None:
        running.stop()
