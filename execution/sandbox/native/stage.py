"""How a compile or run stage ended, in the terms of a result."""

import os
import signal
from dataclasses import dataclass

from execution.sandbox.job import Outcome, Result
from execution.sandbox.native.cgroups import Usage

# Exit codes that the contract fixes: a wall-clock limit reads as timeout(1) reports it, a kill as a shell does.
TIME_LIMIT_EXIT = 124
# A program that could not be started, as a shell reports it.
NOT_STARTED_EXIT = 127


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


def compile_error(stage: Stage, *, output: bytes, truncated: bool, compile_seconds: float, usage: Usage) -> Result:
    """The result of a failed compilation: the compiler's messages and exit code, and why it was stopped if it was."""
    reason = {
        Outcome.TIME_LIMIT: f"\nCompilation stopped: it took longer than {compile_seconds:g} seconds.\n",
        Outcome.MEMORY_LIMIT: "\nCompilation stopped: it needed more memory than the limit allows.\n",
        Outcome.OUTPUT_LIMIT: "\nCompilation stopped: it printed more messages than are kept.\n",
    }.get(stage.outcome, "")
    return Result(
        outcome=Outcome.COMPILE_ERROR,
        exit_code=stage.exit_code,
        signal=stage.signal,
        stdout=b"",
        stderr=b"",
        stdout_truncated=False,
        stderr_truncated=truncated,
        wall_seconds=0.0,
        total_seconds=stage.wall_seconds,
        cpu_seconds=usage.cpu_seconds,
        compile_seconds=stage.wall_seconds,
        compile_output=output + reason.encode() + not_started(stage),
        memory_bytes=usage.memory_peak,
    )


def not_started(stage: Stage) -> bytes:
    """Says why a program could not be started, where it could not."""
    return f"The program could not be started: {os.strerror(stage.error)}.\n".encode() if stage.error else b""
