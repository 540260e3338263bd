"""Control groups version 2: one unified hierarchy (Documentation/admin-guide/cgroup-v2.rst)."""

from pathlib import Path

from execution.sandbox.errors import SandboxUnavailable
from execution.sandbox.job import Limits
from execution.sandbox.native.cgroups.interface import (
    CPU_PERIOD,
    CPU_WEIGHT,
    OWN_PROCESSES,
    kill_processes,
    read,
    read_keyed,
    remove_directory,
    write,
)
from execution.sandbox.stage import Usage

CONTROLLERS = ("memory", "pids", "cpu")


class CgroupV2:
    # The whole group is killed by the kernel itself (memory.oom.group), so there is no event to wait for.
    memory_event: int | None = None

    def __init__(self, path: Path) -> None:
        self._path = path
        self._limits: Limits | None = None

    @property
    def procs_files(self) -> list[str]:
        return [str(self._path / "cgroup.procs")]

    def make(self, limits: Limits) -> None:
        self._path.mkdir()
        write(self._path / "memory.oom.group", 1)
        if (self._path / "memory.swap.max").exists():
            write(self._path / "memory.swap.max", 0)
        self.apply(limits)

    def apply(self, limits: Limits) -> None:
        if limits == self._limits:
            return
        # What stays as it is, is left alone: a context's share of the processors changes twice with every cell.
        before, self._limits = self._limits, None
        if before is None or limits.memory_bytes != before.memory_bytes:
            write(self._path / "memory.max", limits.memory_bytes)
        if before is None or limits.processes != before.processes:
            write(self._path / "pids.max", limits.processes + OWN_PROCESSES)
        if before is None or limits.cpu_cores != before.cpu_cores:
            write(self._path / "cpu.max", f"{int(limits.cpu_cores * CPU_PERIOD)} {CPU_PERIOD}")
        self._limits = limits

    def usage(self) -> Usage:
        return Usage(
            cpu_seconds=read_keyed(self._path / "cpu.stat")["usage_usec"] / 1e6,
            memory_peak=int(read(self._path / "memory.peak")),
            memory_kills=read_keyed(self._path / "memory.events")["oom_kill"],
        )

    def kill(self) -> bool:
        try:
            write(self._path / "cgroup.kill", 1)
        except FileNotFoundError:
            return True
        return kill_processes(self._path / "cgroup.procs")

    def recycle(self, limits: Limits) -> bool:
        # memory.peak cannot be reset before Linux 6.12; one directory is quickly made.
        return False

    def remove(self) -> bool:
        return remove_directory(self._path)


class HierarchyV2:
    version = 2

    def __init__(self, mount: Path, instance: str) -> None:
        self._mount = mount
        self._root = mount / "runcode" / instance

    @classmethod
    def find(cls, instance: str) -> "HierarchyV2 | None":
        for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
            _, mount, kind, *_ = line.split()
            if kind == "cgroup2" and set(CONTROLLERS) <= set(read(Path(mount) / "cgroup.controllers").split()):
                return cls(Path(mount), instance)
        return None

    def prepare(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        for parent in (self._mount, self._root.parent, self._root):
            write(parent / "cgroup.subtree_control", " ".join(f"+{controller}" for controller in CONTROLLERS))
        write(self._root.parent / "cpu.weight", CPU_WEIGHT)
        missing = [name for name in ("memory.peak", "cgroup.kill") if not (self._root / name).exists()]
        if missing:
            raise SandboxUnavailable(
                f"This kernel's control groups lack {' and '.join(missing)}; run Linux 5.19 or newer "
                "(Debian 12 has 6.1)."
            )

    def create(self, name: str, limits: Limits) -> CgroupV2:
        cgroup = CgroupV2(self._root / name)
        cgroup.make(limits)
        return cgroup

    def close(self) -> None:
        remove_directory(self._root)

    def leftovers(self) -> list[CgroupV2]:
        return [CgroupV2(path) for path in sorted(self._root.iterdir()) if path.is_dir()]
