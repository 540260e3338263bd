"""A kernel in its sandbox: one cell at a time, interrupted or ended from outside."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from execution.sandbox.cells import MOST_ITEM_BYTES, MOST_ITEMS, Cell, CellError, CellOutcome, CellResult, Item
from execution.sandbox.channel import Channel, ChannelBroken, error_of, item_of
from execution.sandbox.context_files import Files
from execution.sandbox.errors import SandboxError, SandboxUnavailable
from execution.sandbox.job import Limits, Outcome
from execution.sandbox.live import Live
from execution.sandbox.stage import Stage, Usage
from execution.sandbox.streams import Streams

log = logging.getLogger(__name__)

T = TypeVar("T")

# How long a kernel may take to be up, and to end a cell that was interrupted, in seconds.
START_SECONDS = 20.0
INTERRUPT_GRACE = 2.0


class Home(Protocol):
    """The sandbox that a kernel lives in. `files` are those of its work dir."""

    files: Files

    async def ended(self) -> Stage: ...

    def usage(self) -> Usage: ...

    async def limit(self, limits: Limits) -> None:
        """Its limits from now on, while it is awake. Raises SandboxError."""

    def rest(self) -> None:
        """Between cells: whatever goes on inside gets next to no processor time, or none."""

    def wake(self) -> None: ...

    def stop(self) -> None:
        """Ends all that runs in it, for good; its files stay where that is possible."""

    async def destroy(self) -> None: ...


class _Running:
    """The cell that runs now."""

    def __init__(self, on_item: Callable[[Item], None]) -> None:
        self.done: asyncio.Future[CellError | None] = asyncio.get_running_loop().create_future()
        self.items: list[Item] = []
        self.cause: CellOutcome | None = None
        self._on_item = on_item
        self._room = MOST_ITEM_BYTES

    def take(self, item: Item) -> bool:
        """False for one that is too much."""
        self._room -= sum(len(value) if isinstance(value, str) else len(repr(value)) for value in item.data.values())
        if self._room < 0 or len(self.items) >= MOST_ITEMS:
            return False
        self.items.append(item)
        self._on_item(item)
        return True


class _Input:
    """A kernel's standard input, which outlives its cells: the end of a cell's is told over the channel."""

    def __init__(self, streams: Streams, channel: Channel) -> None:
        self._streams = streams
        self._channel = channel
        self.written = 0  # bytes, since the kernel began
        self.pause, self.resume = streams.pause, streams.resume

    def write(self, data: bytes) -> None:
        self.written += len(data)
        self._streams.write(data)

    def end_input(self) -> None:
        self._channel.send({"do": "input_end", "written": self.written})


class Kernel:
    """Made by a driver, with `up`; `destroy` ends it."""

    def __init__(self, home: Home, streams: Streams, channel: Channel) -> None:
        self._home = home
        self._streams = streams
        self._channel = channel
        self._input = _Input(streams, channel)
        self._loop = asyncio.get_running_loop()
        self._running: _Running | None = None
        self._up: asyncio.Future[None] = self._loop.create_future()
        self._gone: CellOutcome | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def up(cls, home: Home, streams: Streams, channel: Channel) -> "Kernel":
        """One that takes cells, once it has started; where it does not, its home is destroyed. Raises
        SandboxUnavailable."""
        kernel = cls(home, streams, channel)
        try:
            await kernel._start()
        except BaseException:
            await kernel.destroy()
            raise
        return kernel

    async def _start(self) -> None:
        self._tasks = [self._loop.create_task(work) for work in (self._listen(), self._watch())]
        try:
            await asyncio.wait_for(asyncio.shield(self._up), START_SECONDS)
        except (TimeoutError, SandboxUnavailable):
            _, stderr = self._streams.take()
            log.warning("a kernel did not start: %s", stderr.data.decode(errors="replace")[-2000:])
            raise SandboxUnavailable("A kernel did not start; the supervisor's log says why.") from None
        self._streams.take()
        self._home.rest()

    async def limit(self, limits: Limits) -> None:
        """Its limits from the next cell on. Raises SandboxError."""
        await self._home.limit(limits)

    @property
    def alive(self) -> bool:
        return self._gone is None

    @property
    def memory_bytes(self) -> int:
        return self._home.usage().memory_peak

    async def execute(
        self, cell: Cell, count: int, *, live: Live | None, on_item: Callable[[Item], None]
    ) -> CellResult:
        """Runs one cell; only one at a time. Cancelling interrupts it."""
        began, cpu = self._loop.time(), self._home.usage().cpu_seconds
        self._running = running = _Running(on_item)
        self._home.wake()
        self._streams.limit(cap=cell.output_bytes, on_overflow=lambda: self._stop(CellOutcome.OUTPUT_LIMIT))
        # What of its input there is room for is there when it begins.
        before = self._input.written
        self._input.write(cell.stdin)
        self._channel.send(
            {
                "do": "execute",
                "code": cell.code,
                "env": dict(cell.env),
                "streamed": cell.streamed or bool(cell.stdin),
                "written": before,
            }
        )
        if live is not None:
            self._streams.watch(live.on_output)
            live.attach(self._input)
        if cell.stdin and not cell.streamed:
            self._input.end_input()
        if not self.alive:
            running.done.set_result(None)
        timer = self._loop.call_later(cell.seconds, self._stop, CellOutcome.TIME_LIMIT)
        try:
            error = await asyncio.shield(running.done)
        except asyncio.CancelledError:
            self._stop(CellOutcome.INTERRUPTED)
            await asyncio.wait([running.done])
            raise
        finally:
            timer.cancel()
            stdout, stderr = self._streams.take()
            self._streams.unwatch()
            # Nobody is left who would say so, if the cell ended while its watcher was slow.
            self._streams.resume()
            self._running = None
            usage = self._home.usage()
            if self.alive:
                self._home.rest()
        outcome = self._gone or running.cause or (CellOutcome.ERROR if error else CellOutcome.SUCCESS)
        return CellResult(
            outcome=outcome,
            count=count,
            items=tuple(running.items),
            stdout=stdout.data,
            stderr=stderr.data,
            stdout_truncated=stdout.truncated,
            stderr_truncated=stderr.truncated,
            error=error,
            wall_seconds=self._loop.time() - began,
            cpu_seconds=usage.cpu_seconds - cpu,
            memory_bytes=usage.memory_peak,
        )

    async def about_files(self, work: Callable[[Files], Awaitable[T]]) -> T:
        """Has the sandbox awake while `work` asks for files, a cell running or not. Raises what Files does."""
        if self.alive:
            self._home.wake()
        try:
            return await work(self._home.files)
        finally:
            if self._running is None and self.alive:
                self._home.rest()

    def interrupt(self) -> None:
        """Ends the running cell, if there is one; the state stays where the language can keep it."""
        self._stop(CellOutcome.INTERRUPTED)

    async def destroy(self) -> None:
        self._lose(CellOutcome.ENDED)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._channel.close()
        await self._home.destroy()

    def _stop(self, cause: CellOutcome) -> None:
        """Interrupts the running cell for `cause`, the first of which counts; a kernel that does not obey is ended."""
        running = self._running
        if running is None or running.cause is not None or running.done.done():
            return
        running.cause = cause
        self._channel.send({"do": "interrupt"})
        self._loop.call_later(INTERRUPT_GRACE, self._end_if_stuck, running)

    def _end_if_stuck(self, running: _Running) -> None:
        if not running.done.done():
            self._lose(CellOutcome.ENDED)

    def _lose(self, outcome: CellOutcome) -> None:
        """The state is lost: nothing can run here any more."""
        if self._gone is None:
            self._gone = outcome
        if self._running is not None and not self._running.done.done():
            self._running.done.set_result(None)
        if not self._up.done():
            self._up.set_exception(SandboxUnavailable("A kernel ended before it was up."))
        self._home.stop()

    async def _watch(self) -> None:
        try:
            stage = await self._home.ended()
        except SandboxError as error:
            log.warning("a kernel was lost: %s", error)
            self._lose(CellOutcome.ENDED)
        else:
            self._lose(CellOutcome.MEMORY_LIMIT if stage.cause is Outcome.MEMORY_LIMIT else CellOutcome.ENDED)

    async def _listen(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            try:
                while message := await self._channel.receive():
                    self._take(message)
            except ChannelBroken as error:
                log.info("a kernel's channel is broken: %s", error)
                self._lose(CellOutcome.ENDED)

    def _take(self, message: dict[str, Any]) -> None:
        event, running = message.get("event"), self._running
        if event == "ready" and not self._up.done():
            self._up.set_result(None)
        elif running is None or running.done.done():
            return
        elif event == "item":
            if not running.take(item_of(message)):
                self._stop(CellOutcome.OUTPUT_LIMIT)
        elif event == "done":
            running.done.set_result(error_of(message))
