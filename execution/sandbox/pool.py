"""Sandboxes made before they are asked for, in numbers that follow recent demand."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Coroutine, Hashable, Iterable
from typing import Any, Generic, Protocol, TypeVar

log = logging.getLogger(__name__)

# After this many seconds half of a peak in demand is forgotten.
HALF_LIFE = 30.0
# How many sandboxes may be in the making at once: each costs CPU that running programs want, but half of the time it
# waits for the kernel to put it into its control group.
MOST_MAKING = 8
# A shelf that is in demand or always kept has at least this many ready: the next job's, and one for a
# second that comes with it.
LEAST_READY = 2
# How often shelves are trimmed to what recent demand wants, in seconds.
TRIM_INTERVAL = 15.0


class Poolable(Protocol):
    @property
    def alive(self) -> bool: ...

    async def destroy(self) -> None: ...


K = TypeVar("K", bound=Hashable)
S = TypeVar("S", bound=Poolable)


class _Shelf(Generic[S]):
    """The ready sandboxes of one kind and the demand for it."""

    def __init__(self) -> None:
        self.ready: deque[S] = deque()
        self.waiters: deque[asyncio.Future[S]] = deque()
        self.making = 0
        self.in_use = 0
        self._peak = 0.0
        self._peak_at = 0.0

    @property
    def idle(self) -> bool:
        return not (self.ready or self.waiters or self.making or self.in_use)

    def note_use(self, now: float) -> None:
        self._peak, self._peak_at = max(self.demand(now), float(self.in_use)), now

    def demand(self, now: float) -> float:
        return self._peak * math.pow(0.5, (now - self._peak_at) / HALF_LIFE)


class Pool(Generic[K, S]):
    """Hands out each sandbox once. `take` gets a ready one, or the next that is made; `done` says that its run has
    ended, which is when the shelf is filled up again: not while the client still waits for its answer. `most_ready` is
    how many demand may add to those that are kept in any case."""

    def __init__(self, make: Callable[[K], Coroutine[Any, Any, S]], *, most_ready: int) -> None:
        self._make = make
        self._most_ready = most_ready
        self._shelves: dict[K, _Shelf[S]] = {}
        self._kept: frozenset[K] = frozenset()
        self._making_slots = asyncio.Semaphore(MOST_MAKING)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._background(self._trim())

    @property
    def ready(self) -> int:
        return sum(len(shelf.ready) for shelf in self._shelves.values())

    async def take(self, kind: K) -> S:
        """A sandbox that nobody else gets; the caller destroys it. Raises what making one raised."""
        shelf = self._shelf(kind)
        shelf.in_use += 1
        shelf.note_use(self._loop.time())
        try:
            while shelf.ready:
                sandbox = shelf.ready.popleft()
                if sandbox.alive:
                    return sandbox
                self._background(sandbox.destroy())
            waiter: asyncio.Future[S] = self._loop.create_future()
            shelf.waiters.append(waiter)
            if shelf.making < len(shelf.waiters):
                self._make_one(kind, shelf)
            return await self._wait(shelf, waiter)
        except BaseException:
            shelf.in_use -= 1
            raise

    def done(self, kind: K) -> None:
        shelf = self._shelf(kind)
        shelf.in_use -= 1
        self.fill(kind)

    def keep(self, kinds: Iterable[K]) -> None:
        """Names the kinds that are always to be found ready; others are ready only while they are in demand."""
        self._kept = frozenset(kinds)
        for kind in self._kept:
            self.fill(kind)

    def fill(self, kind: K) -> None:
        """Makes as many sandboxes as recent demand wants to find ready, and some of what is kept in any case."""
        if self._closed:
            return
        shelf = self._shelf(kind)
        target = self._target(kind, shelf)
        added = sum(max(0, -self._short(other, its)) for other, its in self._shelves.items())
        room = self._most_ready - added + max(0, self._short(kind, shelf))
        missing = target + len(shelf.waiters) - len(shelf.ready) - shelf.making
        for _ in range(min(missing, room)):
            self._make_one(kind, shelf)

    async def close(self) -> None:
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(sandbox.destroy() for shelf in self._shelves.values() for sandbox in shelf.ready))

    def _short(self, kind: K, shelf: _Shelf[S]) -> int:
        """How many are missing of those that are kept in any case; below zero, how many demand has added."""
        return (LEAST_READY if kind in self._kept else 0) - len(shelf.ready) - shelf.making

    def _target(self, kind: K, shelf: _Shelf[S]) -> int:
        wanted = math.ceil(shelf.demand(self._loop.time()) - 0.01)
        return max(wanted, LEAST_READY) if wanted or kind in self._kept else 0

    def _shelf(self, kind: K) -> _Shelf[S]:
        return self._shelves.setdefault(kind, _Shelf())

    async def _wait(self, shelf: _Shelf[S], waiter: "asyncio.Future[S]") -> S:
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                shelf.ready.append(waiter.result())
            elif waiter in shelf.waiters:
                shelf.waiters.remove(waiter)
            raise

    def _make_one(self, kind: K, shelf: _Shelf[S]) -> None:
        shelf.making += 1
        self._background(self._deliver(kind, shelf))

    async def _deliver(self, kind: K, shelf: _Shelf[S]) -> None:
        try:
            async with self._making_slots:
                sandbox = await self._make(kind)
        except Exception as error:
            log.warning("A sandbox could not be made: %s", error)
            if waiter := self._next_waiter(shelf):
                waiter.set_exception(error)
            return
        finally:
            shelf.making -= 1
        if waiter := self._next_waiter(shelf):
            waiter.set_result(sandbox)
        else:
            shelf.ready.append(sandbox)

    def _next_waiter(self, shelf: _Shelf[S]) -> "asyncio.Future[S] | None":
        while shelf.waiters:
            waiter = shelf.waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    async def _trim(self) -> None:
        while True:
            await asyncio.sleep(TRIM_INTERVAL)
            for kind, shelf in list(self._shelves.items()):
                dead = [sandbox for sandbox in shelf.ready if not sandbox.alive]
                for sandbox in dead:
                    shelf.ready.remove(sandbox)
                surplus = len(shelf.ready) - self._target(kind, shelf)
                for sandbox in dead + [shelf.ready.popleft() for _ in range(surplus)]:
                    self._background(sandbox.destroy())
                self.fill(kind)
                if shelf.idle and kind not in self._kept:
                    del self._shelves[kind]

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
