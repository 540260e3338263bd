"""What a trial container really is, as a program inside sees it (probe.c)."""

import re
from dataclasses import dataclass, field

from execution.sandbox.docker.container import INNER_USER, limits_update
from execution.sandbox.job import Limits

CAPABILITY_SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
CAPPED = ("/work", "/build", "/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 (the sandbox's own)


@dataclass(frozen=True, slots=True)
class Report:
    """The probe's output: the files that it could read, and what each attempt was answered (0: it worked)."""

    files: dict[str, list[str]] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Report":
        report = cls()
        lines: list[str] = []
        for line in text.splitlines():
            if line.startswith("file "):
                lines = report.files[line.removeprefix("file ")] = []
            elif attempt := re.fullmatch(r"try (.+) (\d+)", line):
                report.attempts[attempt[1]] = int(attempt[2])
            elif line.startswith("\t"):
                lines.append(line[1:])
        return report

    def value(self, *paths: str) -> str | None:
        """The first of these files, of one line each, that is there."""
        return next((self.files[path][0].strip() for path in paths if self.files.get(path)), None)


def faults(report: Report, *, own_kernel: bool) -> list[str]:
    """What is missing from a closed container, in words; empty where nothing is. Runtimes with a kernel of their own
    (gVisor, Kata) filter calls and count in ways that the program does not see: `own_kernel`."""
    if not report.attempts:
        return ["the program in it did not run"]
    found = [f"a program in it may do this: {name}" for name, error in report.attempts.items() if error == 0]
    status = dict(line.split(":", 1) for line in report.files.get("/proc/self/status", []) if ":" in line)
    ids = {*status.get("Uid", "0").split(), *status.get("Gid", "0").split(), *status.get("Groups", "").split()}
    if ids != {str(INNER_USER)}:
        found.append("it runs as root or with supplementary groups")
    if any(int(status.get(name, "0"), 16) for name in CAPABILITY_SETS):
        found.append("it holds capabilities")
    interfaces = [line.split(":")[0].strip() for line in report.files.get("/proc/net/dev", [])[2:]]
    if [name for name in interfaces if name and name != "lo"]:
        found.append(f"it has network devices: {', '.join(interfaces)}")
    if own_kernel:
        return found
    if status.get("Seccomp", "").strip() != "2":
        found.append("no system-call filter is in force")
    if status.get("NoNewPrivs", "").strip() != "1":
        found.append("it may gain privileges")
    return found + _mount_faults(report) + _limit_faults(report)


def _mount_faults(report: Report) -> list[str]:
    options = {}
    for line in report.files.get("/proc/self/mountinfo", []):
        fields, _, filesystem = line.partition(" - ")
        point, mounted = fields.split()[4:6]
        options[point] = {*mounted.split(","), *filesystem.split()[2].split(",")}
    return [
        f"{point} is not capped in size"
        for point in CAPPED
        if not any(option.startswith("size=") for option in options.get(point, ()))
    ]


def _limit_faults(report: Report) -> list[str]:
    wanted = limits_update(Limits())
    memory = report.value("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
    swap = report.value("/sys/fs/cgroup/memory.swap.max")
    with_swap = report.value("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")
    quota = report.value("/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
    found = []
    if memory != str(wanted["Memory"]):
        found.append("its memory is not limited")
    if swap != "0" and with_swap != str(wanted["MemorySwap"]):
        found.append("its swap is not limited (boot the host with swapaccount=1)")
    if report.value("/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max") != str(wanted["PidsLimit"]):
        found.append("its processes are not limited")
    if quota is None or quota.split()[0] != str(wanted["CpuQuota"]):
        found.append("its CPU time is not limited")
    if report.value("/sys/fs/cgroup/memory.peak", "/sys/fs/cgroup/memory/memory.max_usage_in_bytes") is None:
        found.append("its peak of memory is not counted (run Linux 5.19 or newer)")
    return found
