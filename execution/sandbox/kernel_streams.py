"""The standard streams of a kernel, cell by cell, over those that a driver has for a whole program."""

from collections.abc import Callable
from typing import Protocol

from execution.sandbox.capture import Capture
from execution.sandbox.live import Live
from execution.sandbox.stage import Output


class Stdio(Protocol):
    """A program's streams, as drivers have them."""

    @property
    def stdout(self) -> Capture: ...

    @property
    def stderr(self) -> Capture: ...

    def limit(self, *, cap: int, on_overflow: Callable[[], None]) -> None: ...

    def write(self, data: bytes) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class KernelStreams:
    def __init__(self, stdio: Stdio) -> None:
        self._stdio = stdio
        self.limit, self.write, self.pause, self.resume = stdio.limit, stdio.write, stdio.pause, stdio.resume

    def end_input(self) -> None:
        """Nothing: the next cell may be fed too."""

    def show(self, live: Live) -> None:
        self._stdio.stdout.on_data = lambda data: live.on_output("stdout", data)
        self._stdio.stderr.on_data = lambda data: live.on_output("stderr", data)

    def hide(self) -> None:
        self._stdio.stdout.on_data = self._stdio.stderr.on_data = None
        # Nobody is left who would say so, if the cell ended while its watcher was slow.
        self.resume()

    def take(self) -> tuple[Output, Output]:
        return self._stdio.stdout.take(), self._stdio.stderr.take()
