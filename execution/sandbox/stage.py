"""How a compile or run stage ended, in the terms of a result, and what it used."""

import os
import signal
from dataclasses import dataclass

from execution.sandbox.job import Outcome

# Exit codes that the contract fixes: a wall-clock limit reads as timeout(1) reports it, a kill as a shell does.
TIME_LIMIT_EXIT = 124
# A program that could not be started, as a shell reports it.
NOT_STARTED_EXIT = 127


@dataclass(frozen=True, slots=True)
class Usage:
    """What a sandbox has used: CPU time in seconds, peak memory in bytes, processes killed for memory."""

    cpu_seconds: float
    memory_peak: int
    memory_kills: int


@dataclass(frozen=True, slots=True)
class Output:
    """What was kept of one output stream, and whether there was more."""

    data: bytes
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """How a compile or run stage ended: `cause` where the supervisor ended it, else the program's wait status."""

    cause: Outcome | None
    status: int
    error: int
    wall_seconds: float

    @property
    def signal(self) -> int | None:
        if self.cause is Outcome.TIME_LIMIT:
            return None
        if self.cause is not None:
            return signal.SIGKILL
        return os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else None

    @property
    def exit_code(self) -> int:
        if self.cause is Outcome.TIME_LIMIT:
            return TIME_LIMIT_EXIT
        if self.error:
            return NOT_STARTED_EXIT
        number = self.signal
        return os.WEXITSTATUS(self.status) if number is None else 128 + number

    @property
    def outcome(self) -> Outcome:
        return self.cause or (Outcome.SUCCESS if self.exit_code == 0 else Outcome.RUNTIME_ERROR)
