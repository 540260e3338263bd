"""The steps of a job, the same on every driver: compile it, keep its build, run it, collect its files."""

import os
from collections.abc import Callable, Sequence
from typing import Protocol

from execution.sandbox.builds import Build
from execution.sandbox.job import Job, Outcome, OutputFile, Result
from execution.sandbox.live import Live
from execution.sandbox.stage import Output, Stage, Usage
from execution.sandbox.toolchain import Toolchain


class Sandbox(Protocol):
    """What the steps ask of one driver's sandbox: each at most once, in this order; `usage` at any time. All raise
    SandboxError where not the program but the sandbox failed."""

    async def compile(self, job: Job, toolchain: Toolchain, command: Sequence[str]) -> tuple[Stage, Output]:
        """Puts the job's files into the work dir and runs the compiler on them; its two outputs come as one."""

    async def read_build(self, compile_output: bytes) -> Build | None:
        """What the compiler left in /build; None for what is not to be kept (see `execution.sandbox.builds`)."""

    async def execute(
        self, job: Job, toolchain: Toolchain, *, build: Build | None, live: Live | None
    ) -> tuple[Stage, Output, Output]:
        """Runs the program under the job's limits, from `build` where there is one: stdout and stderr."""

    async def collect(self, patterns: Sequence[str]) -> tuple[OutputFile, ...]:
        """The files that the program left and that match (see `execution.sandbox.artifacts`)."""

    def usage(self) -> Usage:
        """What the job has used so far; not what was used before it came."""


async def carry_out(
    sandbox: Sandbox,
    job: Job,
    toolchain: Toolchain,
    *,
    live: Live | None = None,
    build: Build | None = None,
    keep: Callable[[Build], None] | None = None,
) -> Result:
    """Carries a job out in a sandbox that is up, as `execution.sandbox.driver` describes it."""
    show_state = live.on_state if live is not None else lambda _state: None
    compile_seconds, compile_output = None, b""
    command = toolchain.compile_command(entrypoint=job.entrypoint, files=job.files)
    if build is not None:
        compile_seconds, compile_output = 0.0, build.compile_output
    elif command is not None:
        show_state("compiling")
        stage, messages = await sandbox.compile(job, toolchain, command)
        if stage.exit_code != 0:
            return _compile_error(stage, messages, job.limits.compile_seconds, sandbox.usage())
        compile_seconds, compile_output = stage.wall_seconds, messages.data
        if keep is not None and (made := await sandbox.read_build(compile_output)):
            keep(made)
    show_state("running")
    stage, stdout, stderr = await sandbox.execute(job, toolchain, build=build, live=live)
    usage = sandbox.usage()
    return Result(
        outcome=stage.outcome,
        exit_code=stage.exit_code,
        signal=stage.signal,
        stdout=stdout.data,
        stderr=stderr.data or _not_started(stage),
        stdout_truncated=stdout.truncated,
        stderr_truncated=stderr.truncated,
        wall_seconds=stage.wall_seconds,
        total_seconds=stage.wall_seconds + (compile_seconds or 0.0),
        cpu_seconds=usage.cpu_seconds,
        compile_seconds=compile_seconds,
        compile_output=compile_output,
        memory_bytes=usage.memory_peak,
        files=await sandbox.collect(job.output_files) if job.output_files else (),
        cached=build is not None,
    )


def _compile_error(stage: Stage, messages: Output, compile_seconds: float, usage: Usage) -> Result:
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
        stderr_truncated=messages.truncated,
        wall_seconds=0.0,
        total_seconds=stage.wall_seconds,
        cpu_seconds=usage.cpu_seconds,
        compile_seconds=stage.wall_seconds,
        compile_output=messages.data + reason.encode() + _not_started(stage),
        memory_bytes=usage.memory_peak,
    )


def _not_started(stage: Stage) -> bytes:
    """Says why a program could not be started, where it could not."""
    return f"The program could not be started: {os.strerror(stage.error)}.\n".encode() if stage.error else b""
