"""How a stage of a job ends: by itself, or from outside for a cause."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import Protocol

from execution.sandbox.errors import SandboxError
from execution.sandbox.frames import ControlLost, Ended, Frame
from execution.sandbox.job import Outcome
from execution.sandbox.stage import Stage

# How long init may take to answer an order to kill before the sandbox is killed as a whole, in seconds.
KILL_GRACE = 0.5


class Control(Protocol):
    """The way to a sandbox's init."""

    async def receive(self) -> Frame:
        """The next frame, or ControlLost once init has gone and nothing is left to hand out."""

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for a frame that has not come."""

    def order_kill(self) -> None:
        """Tells init to kill whatever runs. An order that cannot be sent is no loss: init has gone, or is stuck."""


class Stages:
    """The stages of one sandbox, one after the other. `memory_ran_out` says whether the kernel has killed a process of
    the sandbox for want of memory, `kill` ends the sandbox as a whole."""

    def __init__(self, control: Control, *, memory_ran_out: Callable[[], bool], kill: Callable[[], object]) -> None:
        self._control = control
        self._memory_ran_out = memory_ran_out
        self._kill = kill
        self._loop = asyncio.get_running_loop()
        self._cause: Outcome | None = None

    async def end(self) -> Stage:
        """Waits until the running stage has ended."""
        began = self._loop.time()
        try:
            frame = await self._control.receive()
            if frame.kind == "F":
                number = int.from_bytes(frame.payload, "little")
                raise SandboxError(f"A file of the program could not be written: {os.strerror(number)}.")
            ended = frame.ended()
        except ControlLost:
            # Version 2 of control groups kills init along with the program when memory runs out.
            ended = Ended(signal.SIGKILL, 0, self._loop.time() - began)
            if self._cause is None and not self._memory_ran_out():
                raise SandboxError("The sandbox was killed from outside; run the program again.") from None
        if self._cause is None and self._memory_ran_out():
            self._cause = Outcome.MEMORY_LIMIT
        return Stage(self._cause, ended.status, ended.error, ended.wall_seconds)

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        timer = self._loop.call_later(seconds, self.stop, Outcome.TIME_LIMIT)
        try:
            yield
        finally:
            timer.cancel()

    def stopper(self, cause: Outcome) -> Callable[[], None]:
        return lambda: self.stop(cause)

    def stop(self, cause: Outcome) -> None:
        """Ends the running stage for `cause`, the first of which counts: by init, which keeps the sandbox usable for
        its output and files, else as a whole."""
        if self._cause is None:
            self._cause = cause
            self._control.order_kill()
            self._loop.call_later(KILL_GRACE, self._kill_if_stuck)

    def _kill_if_stuck(self) -> None:
        if self._control.waiting:
            self._kill()
