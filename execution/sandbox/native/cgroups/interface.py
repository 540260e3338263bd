"""What the driver asks of control groups, and the file helpers that both versions share."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from execution.sandbox.job import MIB, Limits
from execution.sandbox.stage import Usage


class Cgroup(Protocol):
    """The group of one sandbox. The driver makes it, hands `procs_files` to the launcher, which joins them, changes
    limits only between stages, reads `usage` when a stage has ended, and removes it when the sandbox is gone."""

    @property
    def procs_files(self) -> list[str]: ...

    @property
    def memory_event(self) -> int | None:
        """A descriptor that turns readable when memory ran out, where the kernel would not kill the whole group."""

    def apply(self, limits: Limits) -> None:
        """Sets the limits of the run stage. Raises OSError (EBUSY) where more memory is in use than they allow."""

    def usage(self) -> Usage: ...

    def kill(self) -> bool:
        """Kills every process of the group; True when none is left."""

    def recycle(self, limits: Limits) -> bool:
        """Makes the empty group as good as new, so that the next sandbox need not wait for the kernel to make one;
        False where that cannot be done."""

    def remove(self) -> bool:
        """Removes the group; False while the kernel still holds it."""


class Hierarchy(Protocol):
    """This supervisor's subtree of the host's control groups."""

    version: int

    def prepare(self) -> None:
        """Makes the subtree and enables its controllers; raises SandboxUnavailable where that cannot be."""

    def create(self, name: str, limits: Limits) -> Cgroup: ...

    def leftovers(self) -> Sequence[Cgroup]:
        """The groups that an earlier supervisor left behind."""

    def close(self) -> None:
        """Removes the subtree, which must be empty."""


# An empty group that still has more memory charged than this (files that it was the first to read) is not used again:
# the next program's peak would be off by about as much.
RECYCLABLE_BYTES = 4 * MIB
# The processes of the sandbox itself, which a program's limit does not count: bubblewrap's monitor and init.
OWN_PROCESSES = 2
# The period over which the CPU limit holds, in microseconds; the kernel's own default.
CPU_PERIOD = 100_000
# All programs together weigh as much as one ordinary process on each core (version 1, where they compete with single
# processes) or as one slice of the system (version 2, where they compete with slices): the service beside them is
# never starved, nor do they starve on a busy host.
CPU_SHARES_PER_CORE, CPU_WEIGHT = 1024, 100


def write(path: Path, value: str | int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)


def read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 65536).decode()
    finally:
        os.close(descriptor)


def read_keyed(path: Path) -> dict[str, int]:
    """A flat-keyed file, such as memory.events, as a dictionary."""
    return {key: int(value) for key, value in (line.split() for line in read(path).splitlines())}


def kill_processes(procs: Path) -> bool:
    """Kills what a cgroup.procs file lists; True when it lists nothing."""
    try:
        pids = [int(pid) for pid in read(procs).split()]
    except FileNotFoundError:
        return True
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return not pids


def remove_directory(path: Path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
