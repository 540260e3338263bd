"""What a live sandbox really is, read from outside: nobody has to believe that an option took effect."""

from dataclasses import dataclass
from pathlib import Path

NAMESPACES = ("mnt", "pid", "net", "ipc", "uts", "cgroup", "user")
CAPABILITY_SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")


@dataclass(frozen=True, slots=True)
class Inspection:
    """One process inside a sandbox, as the host's /proc tells.

    `shared_namespaces` are those it has in common with this process; `interfaces` its network devices with whether
    they are up; `mounts` its mount points with their options; `cgroups` the paths it is in.
    """

    uids: tuple[int, ...]
    gids: tuple[int, ...]
    groups: tuple[int, ...]
    capabilities: dict[str, int]
    seccomp: int
    no_new_privileges: bool
    shared_namespaces: tuple[str, ...]
    interfaces: dict[str, bool]
    mounts: dict[str, frozenset[str]]
    cgroups: frozenset[str]

    def faults(self) -> list[str]:
        """What is missing from a closed sandbox, in words; empty where nothing is."""
        found = []
        if 0 in self.uids or 0 in self.gids or self.groups:
            found.append("it runs as root or with supplementary groups")
        if any(self.capabilities.values()):
            found.append("it holds capabilities")
        if self.seccomp != 2:
            found.append("no system-call filter is in force")
        if not self.no_new_privileges:
            found.append("it may gain privileges")
        if self.shared_namespaces:
            found.append(f"it shares the host's {', '.join(self.shared_namespaces)} namespace")
        if self.interfaces != {"lo": False}:
            found.append(f"it has network devices: {', '.join(self.interfaces)}")
        if "ro" not in self.mounts["/"]:
            found.append("its root file system can be written")
        return found


def inspect(pid: int) -> Inspection:
    """Reads /proc of the process, which must be allowed to (root). Raises OSError where the process has gone."""
    proc = Path("/proc") / str(pid)
    status = dict(line.split(":", 1) for line in (proc / "status").read_text(encoding="ascii").splitlines())
    return Inspection(
        uids=tuple(int(uid) for uid in status["Uid"].split()),
        gids=tuple(int(gid) for gid in status["Gid"].split()),
        groups=tuple(int(gid) for gid in status["Groups"].split()),
        capabilities={name: int(status[name], 16) for name in CAPABILITY_SETS},
        seccomp=int(status["Seccomp"]),
        no_new_privileges=status["NoNewPrivs"].strip() == "1",
        shared_namespaces=tuple(n for n in NAMESPACES if _namespace(proc, n) == _namespace(Path("/proc/self"), n)),
        interfaces=_interfaces(proc),
        mounts=_mounts(proc),
        cgroups=frozenset(line.split(":", 2)[2] for line in (proc / "cgroup").read_text(encoding="utf-8").splitlines()),
    )


def children(pid: int) -> list[int]:
    """The process ids of the direct children, on the host; none of a process that has gone."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in text.split()]


def _namespace(proc: Path, name: str) -> str:
    return str((proc / "ns" / name).readlink())


def _interfaces(proc: Path) -> dict[str, bool]:
    names = [line.split(":")[0].strip() for line in (proc / "net/dev").read_text(encoding="ascii").splitlines()[2:]]
    # An interface that is up has a route or an address; the tables are empty where all are down.
    addresses = (proc / "net/if_inet6").read_text(encoding="ascii") if (proc / "net/if_inet6").exists() else ""
    routes = (proc / "net/fib_trie").read_text(encoding="ascii") if (proc / "net/fib_trie").exists() else ""
    return {name: name in addresses.split() or "127.0.0.0" in routes for name in names}


def _mounts(proc: Path) -> dict[str, frozenset[str]]:
    mounts = {}
    for line in (proc / "mountinfo").read_text(encoding="utf-8").splitlines():
        fields, _, filesystem = line.partition(" - ")
        point, options = fields.split()[4:6]
        mounts[point] = frozenset(options.split(",")) | frozenset(filesystem.split()[2].split(","))
    return mounts
