"""Where a driver's sandboxes could leave something, and what it looks like there. One class for each driver."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from execution.sandbox.client import SandboxClient
from execution.sandbox.job import MIB
from execution.sandbox.native.slots import FIRST_UID, MOST_FREE
from execution.sandbox.pool import MOST_MAKING
from tests.sandbox import supervisors
from tests.sandbox.supervisors import RunningSupervisor, cgroup_directories

PATIENCE = 10.0
# What a supervisor may have more of after a run, because ready sandboxes and free slots come and go: a handful of
# descriptors each, and what the allocator keeps.
SPARE_DESCRIPTORS, DESCRIPTORS_OF_A_SANDBOX = 40, 12
SPARE_MEMORY = 12 * MIB


@dataclass(frozen=True)
class Standing:
    """How a host stands: sandboxes that are ready, ids of mounts, and the supervisor's open descriptors and memory in
    bytes."""

    ready: int
    mounts: frozenset[str]
    descriptors: int
    memory: int


class Host(Protocol):
    """A supervisor with one driver. The suite waits until it is `settled`, takes its `standing`, runs a hostile
    program, waits again, and asks what is `left`."""

    driver: str
    supervisor: RunningSupervisor

    async def settled(self, client: SandboxClient) -> None:
        """Returns once nothing lives but the sandboxes that are ready; fails after PATIENCE seconds."""

    def standing(self) -> Standing: ...

    def left(self, before: Standing) -> list[str]:
        """What is there, once it is settled again, that was not before, in words."""


class NativeHost:
    driver = "native"

    def __init__(self, supervisor: RunningSupervisor) -> None:
        self.supervisor = supervisor

    async def settled(self, client: SandboxClient) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            status = await client.status()
            sandboxes = self.supervisor.sandboxes()
            # Each has its init, and at most a waiting interpreter.
            closed = all(1 <= len(inside) <= 2 for inside in sandboxes.values())
            if status["running"] == 0 and len(sandboxes) == status["ready"] and closed:
                return
            assert time.monotonic() < deadline, (status, sandboxes)
            await asyncio.sleep(0.05)

    def standing(self) -> Standing:
        mounts = Path(f"/proc/{self.supervisor.pid}/mountinfo").read_text(encoding="utf-8").splitlines()
        return Standing(
            ready=len(self.supervisor.sandboxes()),
            mounts=frozenset(line.split()[0] for line in mounts),
            descriptors=self.supervisor.descriptors(),
            memory=supervisors.memory_of(self.supervisor.pid),
        )

    def left(self, before: Standing) -> list[str]:
        now = self.standing()
        found = [*files_of(FIRST_UID), *ipc_objects_of(FIRST_UID), *core_dumps()]
        found += [f"mount {mount}" for mount in now.mounts - before.mounts]
        spare = SPARE_DESCRIPTORS + DESCRIPTORS_OF_A_SANDBOX * max(0, now.ready - before.ready)
        if now.descriptors > before.descriptors + spare:
            found.append(f"{now.descriptors - before.descriptors} descriptors of the supervisor")
        if now.memory > before.memory + SPARE_MEMORY:
            found.append(f"{(now.memory - before.memory) // MIB} MB of the supervisor's memory")
        groups = len(cgroup_directories(self.supervisor.home))
        if groups > (now.ready + MOST_FREE + MOST_MAKING) * _groups_of_a_sandbox():
            found.append(f"{groups} control groups")
        return found


@contextmanager
def native_host() -> Iterator[NativeHost]:
    with supervisors.running() as supervisor:
        yield NativeHost(supervisor)


def _groups_of_a_sandbox() -> int:
    """One for each hierarchy: version 1 has one for each controller."""
    return len(list(Path("/sys/fs/cgroup").glob("*/runcode"))) or 1


def files_of(user: int) -> list[str]:
    """Files outside the sandboxes that belong to a sandbox's user: this one, or any from FIRST_UID on."""
    folders = (Path(folder) for folder in ("/dev/shm", "/dev/mqueue", "/tmp", "/var/tmp"))
    return [str(path) for folder in folders if folder.is_dir() for path in folder.iterdir() if _owned(path, user)]


def _owned(path: Path, user: int) -> bool:
    try:
        return _is(user, path.lstat().st_uid)
    except FileNotFoundError:
        return False


def _is(user: int, found: int) -> bool:
    return found == user or (user == FIRST_UID and found >= FIRST_UID)


def ipc_objects_of(user: int) -> list[str]:
    found = []
    for kind in ("msg", "sem", "shm"):
        head, *lines = Path(f"/proc/sysvipc/{kind}").read_text(encoding="ascii").splitlines()
        column = head.split().index("uid")
        found += [f"{kind}: {line}" for line in lines if _is(user, int(line.split()[column]))]
    return found


def core_dumps() -> list[str]:
    return [str(path) for path in Path("/").glob("core*")]
