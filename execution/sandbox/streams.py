"""The standard streams of one program, whichever driver runs it."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from execution.sandbox.capture import Capture
from execution.sandbox.live import Live
from execution.sandbox.stage import Output


class Streams(ABC):
    """The port of a live run (`execution.sandbox.live`). A driver makes `stdout` and `stderr`, and says how input and
    flow control reach the program."""

    stdout: Capture
    stderr: Capture

    @abstractmethod
    def write(self, data: bytes) -> None: ...

    @abstractmethod
    def end_input(self) -> None: ...

    @abstractmethod
    def pause(self) -> None: ...

    @abstractmethod
    def resume(self) -> None: ...

    def limit(self, *, cap: int, on_overflow: Callable[[], None]) -> None:
        """Sets the caps of a job or cell, before it has written anything."""
        self.stdout.limit(cap=cap, on_overflow=on_overflow)
        self.stderr.limit(cap=cap, on_overflow=on_overflow)

    def show(self, live: Live) -> None:
        """Lets a live run see the output as it comes, give input, and hold the program back."""
        self.watch(live.on_output)
        live.attach(self)

    def watch(self, on_output: Callable[[str, bytes], None]) -> None:
        """Has it told of the output as it comes."""
        self.stdout.on_data = lambda data: on_output("stdout", data)
        self.stderr.on_data = lambda data: on_output("stderr", data)

    def unwatch(self) -> None:
        self.stdout.on_data = self.stderr.on_data = None

    def take(self) -> tuple[Output, Output]:
        """stdout and stderr since the last time."""
        return self.stdout.take(), self.stderr.take()
