"""A sandbox's `Result` as columns of a run, and back."""

import base64
from typing import Any, Final

from execution.models.packing import pack, unpack
from execution.models.runs import Run
from execution.sandbox.job import Outcome, OutputFile, Result

OUTPUT_COLUMNS: Final = ("stdout", "stderr", "compile_output", "files")
"""What a program wrote: the columns that stay empty for an organisation that keeps no outputs."""


def columns_of(result: Result) -> dict[str, Any]:
    """The values of `Run`'s columns for a result."""
    return {
        "outcome": result.outcome.value,
        "exit_code": result.exit_code,
        "signal": result.signal,
        "wall_seconds": result.wall_seconds,
        "total_seconds": result.total_seconds,
        "cpu_seconds": result.cpu_seconds,
        "compile_seconds": result.compile_seconds,
        "memory_bytes": result.memory_bytes,
        "cached": result.cached,
        "stdout": result.stdout,
        "stderr": result.stderr,
        "compile_output": result.compile_output,
        "stdout_truncated": result.stdout_truncated,
        "stderr_truncated": result.stderr_truncated,
        "files": pack([_packed(file) for file in result.files]) if result.files else None,
    }


def result_of(run: Run) -> Result | None:
    """The result of a run that was carried out; None for one that was not, or not yet. What is not kept is empty."""
    if not run.outcome:
        return None
    return Result(
        outcome=Outcome(run.outcome),
        exit_code=run.exit_code or 0,
        signal=run.signal,
        stdout=bytes(run.stdout or b""),
        stderr=bytes(run.stderr or b""),
        stdout_truncated=run.stdout_truncated,
        stderr_truncated=run.stderr_truncated,
        wall_seconds=run.wall_seconds or 0.0,
        total_seconds=run.total_seconds or 0.0,
        cpu_seconds=run.cpu_seconds or 0.0,
        compile_seconds=run.compile_seconds,
        compile_output=bytes(run.compile_output or b""),
        memory_bytes=run.memory_bytes or 0,
        files=tuple(_unpacked(*stored) for stored in unpack(run.files) or ()),
        cached=run.cached,
    )


def _packed(file: OutputFile) -> list[Any]:
    return [file.path, file.size, base64.b64encode(file.content).decode("ascii")]


def _unpacked(path: str, size: int, content: str) -> OutputFile:
    return OutputFile(path, size, base64.b64decode(content))
