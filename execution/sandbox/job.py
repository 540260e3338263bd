"""What the sandbox is asked and what it answers: plain data, shared by every driver and transport."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MIB = 1024 * 1024
# PATH_MAX, which counts the NUL at the end; one segment may have 255 bytes.
MOST_PATH_BYTES = 4095


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one run. Seconds are wall-clock; the defaults are those of the public contract.

    `output_bytes` is what is kept of each of stdout and stderr; a program that writes more is ended with
    `Outcome.OUTPUT_LIMIT`. `compile_seconds` is the compiler's own limit and not part of `wall_seconds`.
    """

    wall_seconds: float = 30.0
    compile_seconds: float = 30.0
    memory_bytes: int = 512 * MIB
    cpu_cores: float = 2.0
    processes: int = 64
    output_bytes: int = 1 * MIB
    work_bytes: int = 128 * MIB


class Outcome(StrEnum):
    """How a run ended: the service's one vocabulary, translated by each surface into its own dialect."""

    SUCCESS = "success"
    RUNTIME_ERROR = "runtime_error"
    COMPILE_ERROR = "compile_error"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True)
class Job:
    """One program to run once.

    `files` maps a relative path inside the work dir to its content and includes `entrypoint`; those that `data_files`
    names are for the program alone, and its build is the same whatever they hold. `env` is added to the toolchain's
    environment. `output_files` are paths or globs, read from the work dir after the run. `cache` names whose compiled
    programs this one may be kept among and found in (see `builds`); empty: it is compiled anew. `command`: what runs in
    the toolchain's root instead of its own commands, nothing being compiled then; `{entrypoint}` and `{sources}` stand
    in it for what they stand for in those.
    """

    compiler: str
    files: Mapping[str, bytes]
    entrypoint: str
    stdin: bytes = b""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    output_files: tuple[str, ...] = ()
    data_files: tuple[str, ...] = ()
    cache: str = ""
    command: tuple[str, ...] = ()

    def fault(self) -> str | None:
        """Why no sandbox may be asked to run this, None for what may be: names that lead out of the work dir, and NUL,
        which ends a string for the kernel. Surfaces check more, and say it better; drivers rely on this alone."""
        if self.entrypoint not in self.files:
            return "its entrypoint is not among its files"
        for path in self.files:
            if len(path.encode("utf-8", "surrogateescape")) > MOST_PATH_BYTES:
                return "the name of a file is too long"
            if "\0" in path or any(segment in ("", ".", "..") for segment in path.split("/")):
                return f"the name of a file leads out of the work dir ({path[:80]!r})"
        if any("=" in name or not name for name in self.env):
            return "the name of a variable is empty or holds “=”"
        if any("\0" in word for word in (*self.args, *self.command, *self.env, *self.env.values())):
            return "an argument or a variable holds NUL"
        return None


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A regular file left in the work dir; `size` is the file's, `content` may be shorter (it is capped)."""

    path: str
    size: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended, measured from outside the program.

    `exit_code` and `signal` are the program's, or the compiler's when compilation failed; killed by signal N
    reads 128 + N and N; the wall-clock limit reads 124 and None. `wall_seconds` is the run stage alone,
    `total_seconds` has the compilation too, `cpu_seconds` is user and system time of both stages,
    `memory_bytes` the peak of the whole sandbox. `cached`: the program was found compiled, so `compile_seconds` is 0.
    """

    outcome: Outcome
    exit_code: int
    signal: int | None
    stdout: bytes
    stderr: bytes
    stdout_truncated: bool
    stderr_truncated: bool
    wall_seconds: float
    total_seconds: float
    cpu_seconds: float
    compile_seconds: float | None
    compile_output: bytes
    memory_bytes: int
    files: tuple[OutputFile, ...] = ()
    cached: bool = False
