"""What processes hold in memory for themselves alone."""

from pathlib import Path

from execution.sandbox.kernels import KernelSpec


def private_bytes(pid: int) -> int:
    """Pages that no other process shares (Private_Clean and Private_Dirty, proc_pid_smaps(5))."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Private_") and "Hugetlb" not in line)


def of_kernels(groups: Path, spec: KernelSpec) -> list[int]:
    """Of each sandbox below `groups` that is a home of this kernel: the private memory of all its processes."""
    found = []
    for procs in groups.glob("*/cgroup.procs"):
        pids = procs.read_text(encoding="utf-8").split()
        commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids]
        if any(command.rstrip(b"\0").endswith(spec.command[-1].encode()) for command in commands):
            found.append(sum(private_bytes(int(pid)) for pid in pids))
    return found
