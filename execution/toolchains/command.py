"""Runs the programs that an installation needs (apt, tar, bwrap, …) and tells what they said when they fail."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from execution.toolchains.errors import InstallFailed

KEPT_LINES = 25

# Asks the kernel to end a program when the installer dies, so that kill -9 leaves nothing half-alive behind.
DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "TERM", "--")


# The programs under way, in any thread.
_under_way: set[subprocess.Popen[str]] = set()
_starting = threading.Lock()


class CommandFailed(InstallFailed):
    """A program ended with an error. `output` is (the end of) what it printed."""

    def __init__(self, argv: Sequence[str], code: int, output: str, log: Path | None = None) -> None:
        where = f"\nAll it said is in {log}." if log else ""
        super().__init__(f"{argv[0]} failed (exit code {code}):\n{output}{where}")
        self.output = output


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for such programs: the caller's, in the C locale (the output is parsed), asking nothing."""
    return {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **(extra or {})}


def _start(
    argv: Sequence[str], env: Mapping[str, str] | None, stdin: int | None, keep: int | None
) -> subprocess.Popen[str]:
    if shutil.which(argv[0]) is None:
        raise CommandFailed(argv, 127, f"{argv[0]} is not installed; `make doctor` names the package it comes from")
    with _starting:
        process = subprocess.Popen(
            [*DIE_WITH_PARENT, *argv],
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(env),
            text=True,
            errors="replace",
            pass_fds=() if keep is None else (keep,),
            start_new_session=True,  # a group of its own, to be ended as one
        )
        _under_way.add(process)
    return process


def terminate_all() -> None:
    """Ends the programs of every thread, which then fail: a Ctrl-C is heard by the main thread alone."""
    with _starting:
        for process in list(_under_way):
            _terminate(process)


def _terminate(process: subprocess.Popen[str]) -> None:
    """Ends a program and those it started, which else might hold its output open."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)


def run(argv: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 300) -> str:
    """Runs a short program to its end and returns what it printed, both channels merged.

    Raises CommandFailed; a missing program, or one that takes longer than `timeout` seconds, counts as failed.
    """
    with _start(argv, env, None, None) as process:
        try:
            output: str = process.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            raise CommandFailed(argv, 124, f"no answer within {timeout:g} seconds") from None
        except BaseException:
            _terminate(process)
            raise
        finally:
            _under_way.discard(process)
    if process.returncode != 0:
        raise CommandFailed(argv, process.returncode, output.strip())
    return output


def follow(
    argv: Sequence[str],
    on_line: Callable[[str], None],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    keep: int | None = None,
    stdin: int | None = None,
) -> None:
    """Runs a long program; `on_line` sees each line as it comes, and all of it is added to the file `log`.

    `keep` is a descriptor that the program and its children inherit: the installer's lock, so that the lock is
    held for as long as any of them lives. Raises CommandFailed with the last lines.
    """
    last: deque[str] = deque(maxlen=KEPT_LINES)
    with _start(argv, env, stdin, keep) as process, log.open("a", encoding="utf-8") as file:
        try:
            for line in process.stdout or ():
                file.write(line)
                last.append(line)
                on_line(line.rstrip("\n"))
        except BaseException:
            _terminate(process)
            raise
        finally:
            _under_way.discard(process)
    if process.returncode != 0:
        raise CommandFailed(argv, process.returncode, "".join(last).strip(), log)
