"""The table of hostile programs: what each tries, and how it must end. To add a row, put the program into programs/
and its verdict here.

Programs print a line for each attempt, `NAME: refused …` or `NAME: ALLOWED …`, and `done` at their end, so that one
that died before it tried anything does not pass.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from execution.sandbox.job import MIB, Limits, Outcome, Result

SUCCESS = frozenset({Outcome.SUCCESS})
KILLED = {Outcome.TIME_LIMIT: (124, None), Outcome.MEMORY_LIMIT: (137, 9), Outcome.OUTPUT_LIMIT: (137, 9)}


@dataclass(frozen=True)
class Row:
    """One hostile program. `number` is that of the abuse table; `check` looks at the result where outcome and the
    ALLOWED/done convention are not all there is to see."""

    number: int
    program: str
    outcomes: frozenset[Outcome] = SUCCESS
    limits: Limits = field(default_factory=lambda: Limits(wall_seconds=3.0))
    stdin: bytes = b""
    check: Callable[[Result], None] | None = None

    def __str__(self) -> str:
        return f"{self.number:02}-{self.program}"


def every_attempt_refused(result: Result) -> None:
    lines = result.stdout.decode().splitlines()
    assert lines, result
    assert lines[-1] == "done", result
    assert [line for line in lines if "ALLOWED" in line] == []
    assert any(": refused" in line for line in lines)


def prints(expected: bytes) -> Callable[[Result], None]:
    def check(result: Result) -> None:
        assert result.stdout == expected

    return check


def at_once(expected: bytes) -> Callable[[Result], None]:
    def check(result: Result) -> None:
        assert result.stdout == expected
        assert result.wall_seconds < 1.5

    return check


def memory_near_the_limit(result: Result) -> None:
    assert 480 * MIB < result.memory_bytes <= 512 * MIB


def at_most_64_tasks(result: Result) -> None:
    counts = [int(line.split()[1]) for line in result.stdout.decode().splitlines() if line.startswith("tasks")]
    assert counts, result
    assert 32 <= counts[-1] <= 64


def no_cpu_time(result: Result) -> None:
    assert result.stdout == b"so far\n"
    assert result.cpu_seconds < 0.2


def two_cores(result: Result) -> None:
    assert result.cpu_seconds <= 2 * result.wall_seconds * 1.15 + 0.2


def first_bytes_kept(result: Result) -> None:
    assert 1 * MIB in (len(result.stdout), len(result.stderr))
    assert result.stdout_truncated or result.stderr_truncated


def every_byte(result: Result) -> None:
    assert result.stdout == bytes(range(256)) * 64 + "é€😀".encode() + b"\0end"


TIME = frozenset({Outcome.TIME_LIMIT})
MEMORY = frozenset({Outcome.MEMORY_LIMIT})
ENDS = frozenset({Outcome.SUCCESS, Outcome.RUNTIME_ERROR, Outcome.TIME_LIMIT})

ROWS = [
    Row(1, "fork_bomb.c", TIME | SUCCESS, check=at_most_64_tasks),
    Row(2, "daemon.py", check=at_once(b"parent ends\n")),
    Row(3, "thread_bomb.c", SUCCESS | TIME, check=at_most_64_tasks),
    Row(4, "memory_bomb.c", MEMORY, check=memory_near_the_limit),
    Row(5, "memory_group.c", MEMORY, check=memory_near_the_limit),
    Row(6, "memory_files.py", MEMORY | SUCCESS),
    Row(7, "descriptors.py", check=every_attempt_refused),
    Row(8, "fill_disk.py", check=every_attempt_refused),
    Row(9, "fill_shm.py", check=every_attempt_refused),
    Row(10, "inode_bomb.py", MEMORY | SUCCESS | TIME),
    Row(12, "endless_stdout.c", frozenset({Outcome.OUTPUT_LIMIT}), check=first_bytes_kept),
    Row(12, "endless_stderr.c", frozenset({Outcome.OUTPUT_LIMIT}), check=first_bytes_kept),
    Row(12, "endless_both.py", frozenset({Outcome.OUTPUT_LIMIT}), check=first_bytes_kept),
    Row(13, "every_byte.py", check=every_byte),
    Row(14, "closed_streams.py", TIME),
    Row(15, "child_holds_pipe.py", check=at_once(b"parent ends\n")),
    Row(16, "ignores_stdin.py", stdin=b"x" * (10 * MIB), check=prints(b"never read\n")),
    Row(16, "closes_stdin.py", stdin=b"x" * (10 * MIB), check=prints(b"closed\n")),
    Row(17, "sleeps.py", TIME, check=no_cpu_time),
    Row(18, "burns_cpu.c", TIME, check=two_cores),
    Row(19, "ignores_signals.py", TIME, check=prints(b"deaf\n")),
    Row(20, "kills_all.py", check=prints(b"survivor\n")),
    Row(20, "stops_itself.py", TIME, check=prints(b"stopping\n")),
    Row(21, "looks_around.py", check=every_attempt_refused),
    Row(22, "reaches_into_processes.py", check=every_attempt_refused),
    Row(23, "reaches_the_network.py", check=every_attempt_refused),
    Row(24, "reaches_sockets.py", check=every_attempt_refused),
    Row(25, "makes_namespaces.py", check=every_attempt_refused),
    Row(26, "uses_keyrings.py", check=every_attempt_refused),
    Row(27, "uses_kernel_interfaces.py", check=every_attempt_refused),
    Row(28, "gains_privileges.py", check=every_attempt_refused),
    Row(29, "other_architectures.c", check=every_attempt_refused),
    Row(34, "includes_devices.c", frozenset({Outcome.COMPILE_ERROR})),
    Row(35, "includes_itself.c", frozenset({Outcome.COMPILE_ERROR})),
    Row(36, "huge_array.c", frozenset({Outcome.COMPILE_ERROR, Outcome.MEMORY_LIMIT, Outcome.RUNTIME_ERROR})),
    Row(39, "dumps_core.py", frozenset({Outcome.RUNTIME_ERROR})),
    Row(40, "changes_the_host.py", check=every_attempt_refused),
    Row(41, "forges_a_result.py", frozenset({Outcome.RUNTIME_ERROR})),
    Row(47, "socket_families.py", check=every_attempt_refused),
    Row(49, "open_descriptors.py", check=prints(b"[0, 1, 2] /work\n")),
    Row(51, "resolves_names.py", check=every_attempt_refused),
]
