"""How hostile programs must end, where the outcome alone does not say it.

Programs print a line for each attempt, `NAME: refused …` or `NAME: ALLOWED …`, and `done` at their end, so that one
that died before it tried anything does not pass.
"""

import json
from collections.abc import Callable, Mapping

from execution.sandbox import artifacts
from execution.sandbox.cells import CellResult
from execution.sandbox.job import MIB, Outcome, Result

Check = Callable[[Result], None]

# What the supervisor ends a program with: exit code and signal.
KILLED = {Outcome.TIME_LIMIT: (124, None), Outcome.MEMORY_LIMIT: (137, 9), Outcome.OUTPUT_LIMIT: (137, 9)}


def every_attempt_refused(result: Result | CellResult) -> None:
    lines = result.stdout.decode().splitlines()
    assert lines, result
    assert lines[-1] == "done", result
    assert [line for line in lines if "ALLOWED" in line] == []
    assert any(": refused" in line for line in lines)


def prints(expected: bytes) -> Check:
    def check(result: Result) -> None:
        assert result.stdout == expected, result

    return check


def at_once(expected: bytes) -> Check:
    def check(result: Result) -> None:
        assert result.stdout == expected
        assert result.wall_seconds < 1.5

    return check


def says(*words: str) -> Check:
    """The compiler's messages hold each of the words."""

    def check(result: Result) -> None:
        for word in words:
            assert word in result.compile_output.decode(), result

    return check


def memory_near_the_limit(result: Result) -> None:
    assert 480 * MIB < result.memory_bytes <= 512 * MIB


def memory_within_the_limit(result: Result) -> None:
    assert result.memory_bytes <= 512 * MIB


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


def messages_capped(result: Result) -> None:
    assert len(result.compile_output) < 1 * MIB + 200
    assert result.stderr_truncated or len(result.compile_output) < 1 * MIB, result


def every_byte(result: Result) -> None:
    assert result.stdout == bytes(range(256)) * 64 + "é€😀".encode() + b"\0end"


def sparse_files_capped(result: Result) -> None:
    """Files come with their true size, and all together with no more content than the cap."""
    every_attempt_refused(result)
    sizes = {file.path: file.size for file in result.files}
    assert sizes["sparse"] == 200 * MIB
    assert sum(len(file.content) for file in result.files) <= artifacts.MOST_BYTES
    assert len(result.files) <= artifacts.MOST_FILES


def only_files(*names: str, content: bytes = b"mine") -> Check:
    """Nothing is collected but the named files, which hold `content`, and the program itself."""

    def check(result: Result) -> None:
        every_attempt_refused(result)
        collected = {file.path: file.content for file in result.files if file.path != "main.py"}
        assert set(collected) <= set(names), set(collected)
        assert set(collected.values()) == {content}

    return check


def links_not_followed(result: Result) -> None:
    """Swapped in a race, a file is found under any of its names, or not; never what a link leads to."""
    collected = {file.path: file.content for file in result.files if file.path != "main.py"}
    assert collected.pop("plain") == b"mine", result
    assert set(collected) <= {"file", "link", "spare-link"}
    assert set(collected.values()) <= {b"mine"}


def names_are_neutral(result: Result) -> None:
    every_attempt_refused(result)
    names = [file.path for file in result.files]
    assert len(names) > 20, names
    for name in names:
        assert "/" not in name
        assert name not in ("", ".", "..", "outside", "to-the-host")
        assert json.loads(json.dumps(name)) == name
        assert len(name.encode()) <= 4 * 255


def started_with(arguments: tuple[str, ...], environment: Mapping[str, str]) -> Check:
    def check(result: Result) -> None:
        assert json.loads(result.stdout) == [list(arguments), dict(environment)]

    return check


def not_started(result: Result) -> None:
    assert result.exit_code == 127
    assert b"Argument list too long" in result.stderr
