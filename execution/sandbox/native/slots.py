"""What sandboxes use one after the other, because the kernel is slow to make it."""

import asyncio
import itertools
import os
from dataclasses import dataclass

from execution.sandbox.job import Limits
from execution.sandbox.native.cgroups import Cgroup, Hierarchy
from execution.sandbox.native.network import Network

# Host users of the sandboxes: one each, so that what the kernel counts by user (pipes, watches, signals, keys) is
# never shared. 0x70000000 and up lies past every range that distributions, container engines and systemd hand out.
FIRST_UID, UIDS = 0x7000_0000, 0x1_0000

# Free slots beyond these are taken down: after a rush the host gets its control groups back.
MOST_FREE = 8


@dataclass(slots=True)
class Slot:
    """A host user, a control group, and a network namespace, which is that of the slot's first sandbox. Only one
    sandbox has it at a time."""

    uid: int
    cgroup: Cgroup
    network: Network | None = None


class Slots:
    """Hands out slots; every control group has the default limits when it is handed out."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self._hierarchy = hierarchy
        self._numbers = itertools.count()
        self._free: list[Slot] = []
        self._closed = False

    def take(self) -> Slot:
        if self._free:
            return self._free.pop()
        return Slot(FIRST_UID + next(self._numbers) % UIDS, self._new_cgroup())

    async def give_back(self, slot: Slot) -> None:
        """Takes the slot of a sandbox that has ended and left no process."""
        if self._closed or len(self._free) >= MOST_FREE:
            await _dissolve(slot)
            return
        if not slot.cgroup.recycle(Limits()):
            await _remove(slot.cgroup)
            slot.cgroup = self._new_cgroup()
        if slot.network is not None and slot.network.used:
            slot.network.close()
            slot.network = None
        self._free.append(slot)

    async def close(self) -> None:
        self._closed = True
        while self._free:
            await _dissolve(self._free.pop())

    def _new_cgroup(self) -> Cgroup:
        return self._hierarchy.create(f"{os.getpid()}-{next(self._numbers)}", Limits())


async def _dissolve(slot: Slot) -> None:
    await _remove(slot.cgroup)
    if slot.network is not None:
        slot.network.close()


async def _remove(cgroup: Cgroup) -> None:
    while not cgroup.remove():
        await asyncio.sleep(0.002)
