"""Control groups version 1: one hierarchy for each controller (Documentation/admin-guide/cgroup-v1)."""

import os
from pathlib import Path

from execution.sandbox.errors import SandboxUnavailable
from execution.sandbox.job import Limits
from execution.sandbox.native.cgroups.interface import (
    CPU_PERIOD,
    CPU_SHARES_PER_CORE,
    OWN_PROCESSES,
    RECYCLABLE_BYTES,
    kill_processes,
    read,
    read_keyed,
    remove_directory,
    write,
)
from execution.sandbox.stage import Usage

CONTROLLERS = ("memory", "pids", "cpu", "cpuacct")
REMEDY = (
    "No control groups with the memory, pids and cpu controllers were found. Boot with cgroup v2 (the default of "
    "Debian 12), or mount the v1 controllers below /sys/fs/cgroup: apt-get install cgroupfs-mount"
)


class CgroupV1:
    def __init__(self, roots: dict[str, Path], name: str) -> None:
        self._paths = {controller: root / name for controller, root in roots.items()}
        self._memory = self._paths["memory"]
        self._memory_peak = self._memory / "memory.max_usage_in_bytes"
        self._cpu_usage = self._paths["cpuacct"] / "cpuacct.usage"
        self.memory_event: int | None = None
        self._limits: Limits | None = None
        # What the group had charged and counted before the present sandbox: version 1 never starts from nought again.
        self._memory_before = 0
        self._kills_before = 0

    @property
    def procs_files(self) -> list[str]:
        return [str(path / "cgroup.procs") for path in dict.fromkeys(self._paths.values())]

    def make(self, limits: Limits) -> None:
        for path in dict.fromkeys(self._paths.values()):
            path.mkdir()
        write(self._paths["cpu"] / "cpu.cfs_period_us", CPU_PERIOD)
        self.apply(limits)
        # The kernel kills one process when memory runs out; the event lets the driver kill the rest.
        self.memory_event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        control = os.open(self._memory / "memory.oom_control", os.O_RDONLY | os.O_CLOEXEC)
        try:
            write(self._memory / "cgroup.event_control", f"{self.memory_event} {control}")
        finally:
            os.close(control)

    def apply(self, limits: Limits) -> None:
        if limits == self._limits:
            return
        # What stays as it is, is left alone: a context's share of the processors changes twice with every cell, and
        # writing a limit of memory has every processor give back what it holds in advance.
        before, self._limits = self._limits, None
        if before is None or limits.memory_bytes != before.memory_bytes:
            self._apply_memory(limits)
        if before is None or limits.processes != before.processes:
            write(self._paths["pids"] / "pids.max", limits.processes + OWN_PROCESSES)
        if before is None or limits.cpu_cores != before.cpu_cores:
            write(self._paths["cpu"] / "cpu.cfs_quota_us", int(limits.cpu_cores * CPU_PERIOD))
        self._limits = limits

    def _apply_memory(self, limits: Limits) -> None:
        swap = self._memory / "memory.memsw.limit_in_bytes"
        files = [self._memory / "memory.limit_in_bytes"] + ([swap] if swap.exists() else [])
        # With swap may never be below without: raise the outer one first, lower it last.
        for path in files if limits.memory_bytes < int(read(files[-1])) else reversed(files):
            write(path, limits.memory_bytes)

    def usage(self) -> Usage:
        return Usage(
            cpu_seconds=int(read(self._cpu_usage)) / 1e9,
            memory_peak=int(read(self._memory_peak)) - self._memory_before,
            memory_kills=self._kills() - self._kills_before,
        )

    def recycle(self, limits: Limits) -> bool:
        left = int(read(self._memory / "memory.usage_in_bytes"))
        if left > RECYCLABLE_BYTES:
            return False
        self._memory_before = left
        self._kills_before = self._kills()
        write(self._memory_peak, 0)  # sets it to what is charged now
        self.apply(limits)
        return True

    def _kills(self) -> int:
        return read_keyed(self._memory / "memory.oom_control")["oom_kill"]

    def kill(self) -> bool:
        return kill_processes(self._paths["pids"] / "cgroup.procs")

    def remove(self) -> bool:
        if self.memory_event is not None:
            os.close(self.memory_event)
            self.memory_event = None
        removed = [remove_directory(path) for path in self._paths.values()]
        return all(removed)


class HierarchyV1:
    version = 1

    def __init__(self, mounts: dict[str, Path], instance: str) -> None:
        self._mounts = mounts
        self._roots = {controller: mount / "runcode" / instance for controller, mount in mounts.items()}

    @classmethod
    def find(cls, instance: str) -> "HierarchyV1":
        mounts: dict[str, Path] = {}
        for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
            _, mount, kind, options, *_ = line.split()
            if kind == "cgroup":
                mounts.update({c: Path(mount) for c in CONTROLLERS if c in options.split(",")})
        if set(mounts) != set(CONTROLLERS):
            raise SandboxUnavailable(REMEDY)
        return cls(mounts, instance)

    def prepare(self) -> None:
        swap_in_use = len(Path("/proc/swaps").read_text(encoding="ascii").splitlines()) > 1
        if swap_in_use and not (self._mounts["memory"] / "memory.memsw.limit_in_bytes").exists():
            raise SandboxUnavailable(
                "This kernel does not account swap, so programs could exceed their memory limit by swapping. "
                "Turn swap off (swapoff -a) or boot with swapaccount=1."
            )
        for root in dict.fromkeys(self._roots.values()):
            root.mkdir(parents=True, exist_ok=True)
        write(self._roots["cpu"].parent / "cpu.shares", CPU_SHARES_PER_CORE * (os.cpu_count() or 1))

    def create(self, name: str, limits: Limits) -> CgroupV1:
        cgroup = CgroupV1(self._roots, name)
        cgroup.make(limits)
        return cgroup

    def close(self) -> None:
        for root in self._roots.values():
            remove_directory(root)

    def leftovers(self) -> list[CgroupV1]:
        names = {path.name for root in self._roots.values() for path in root.iterdir() if path.is_dir()}
        return [CgroupV1(self._roots, name) for name in sorted(names)]
