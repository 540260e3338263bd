"""The streams of a run that somebody watches, while it runs."""

from collections.abc import Callable
from typing import Protocol

from execution.sandbox.job import MIB

# What a watched program may be given on its standard input all together, beside what came with the job.
MOST_INPUT = 1 * MIB


class Port(Protocol):
    """Where a live run's input and flow control go: a program's pipes, or the connection that leads there."""

    def write(self, data: bytes) -> None: ...

    def end_input(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Live:
    """One run's streams, both ways, for one event loop; nothing here blocks.

    `on_output` gets "stdout" or "stderr" and the bytes as they come, up to the output limit of the job; `on_state` gets
    "compiling" and "running" as those stages begin. The other methods may be called before the program has started
    and after it has ended. `started` tells whether it has."""

    def __init__(
        self, *, on_output: Callable[[str, bytes], None], on_state: Callable[[str], None] | None = None
    ) -> None:
        self.on_output = on_output
        self.started = False
        self._told = on_state or (lambda _state: None)
        self._port: Port | None = None
        self._held = b""
        self._room = MOST_INPUT
        self._input_ended = False
        self._paused = False

    def on_state(self, state: str) -> None:
        """For those who carry the run out, as `on_output`."""
        if state == "running":
            self.started = True
        self._told(state)

    def write(self, data: bytes) -> bool:
        """Gives the program input. False when it is more than MOST_INPUT by now, or after `end_input`: nothing of
        `data` is taken then."""
        if self._input_ended or len(data) > self._room:
            return False
        self._room -= len(data)
        if self._port is None:
            self._held += data
        else:
            self._port.write(data)
        return True

    def end_input(self) -> None:
        """End-of-file on the program's standard input."""
        if not self._input_ended:
            self._input_ended = True
            if self._port is not None:
                self._port.end_input()

    def pause(self) -> None:
        """Reads nothing more from the program, which stands still once its pipes are full."""
        self._paused = True
        if self._port is not None:
            self._port.pause()

    def resume(self) -> None:
        self._paused = False
        if self._port is not None:
            self._port.resume()

    def attach(self, port: Port) -> None:
        """For those who carry the run out: from now on, and for what is waiting."""
        self._port = port
        if self._held:
            held, self._held = self._held, b""
            port.write(held)
        if self._input_ended:
            port.end_input()
        if self._paused:
            port.pause()

    def detach(self) -> None:
        """The run has ended, or is about to be carried out anew."""
        self._port = None
