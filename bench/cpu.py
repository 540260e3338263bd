"""Processor time of whole groups of processes, the ended ones included: control groups of version 1 or 2."""

import os
from pathlib import Path


def _mount(kind: str, option: str) -> Path | None:
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, path, mounted, options, *_ = line.split()
        if mounted == kind and option in options.split(","):
            return Path(path)
    return None


def accounting_root() -> Path:
    """The folder below which a group's processor time is told. Raises RuntimeError."""
    root = _mount("cgroup", "cpuacct") or _mount("cgroup2", "rw")
    if root is None:
        raise RuntimeError("No control groups are mounted, so processor time cannot be measured.")
    return root


def cpu_seconds(group: Path) -> float:
    """What the group's processes have used since it was made, with all groups below it."""
    usage = group / "cpuacct.usage"
    if usage.exists():
        return int(usage.read_text(encoding="ascii")) / 1e9
    for line in (group / "cpu.stat").read_text(encoding="ascii").splitlines():
        name, value = line.split()
        if name == "usage_usec":
            return int(value) / 1e6
    raise RuntimeError(f"{group} tells no processor time.")


class Group:
    """A group of its own for a process that is about to be started, and for its children."""

    def __init__(self) -> None:
        self.path = accounting_root() / f"runcode-bench-{os.getpid()}"
        self.path.mkdir()

    def join(self) -> None:
        """To be called by the new process itself."""
        (self.path / "cgroup.procs").write_text("0", encoding="ascii")

    def remove(self) -> None:
        self.path.rmdir()
