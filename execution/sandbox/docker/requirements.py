"""What an Engine must be able to, before a container of ours is started on it."""

import re
from typing import Any

# runc before these is open to containers that change what it mounts and writes at their start (CVE-2025-31133,
# CVE-2025-52565, CVE-2025-52881): the first safe release of each series, and the first series that was born safe.
SAFE_RUNC = {(1, 2): (1, 2, 8), (1, 3): (1, 3, 3)}
SAFE_SERIES = (1, 4)
# Of the series that was born safe, the candidates before this one were not.
FIRST_SAFE_CANDIDATE = 3

RUNC_REMEDY = (
    "Install runc 1.2.8, 1.3.3 or newer (with Docker's own packages: containerd.io), or choose another OCI runtime of "
    "the Engine with RUNCODE_DOCKER_RUNTIME."
)


def runc_is_safe(version: str) -> bool:
    """Whether a release of runc, as it names itself (`1.3.3`, `1.4.0-rc.3`, `1.1.5+ds1`), has the fixes. What a
    distribution may have added to an older one is not to be seen from its version, and does not count."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)(?:[-~](?:rc|beta|alpha)[.-]?(\d+)?)?", version)
    if found is None:
        return False
    number = (int(found[1]), int(found[2]), int(found[3]))
    candidate = "rc" in version or "beta" in version or "alpha" in version
    series = number[:2]
    if series in SAFE_RUNC:
        return number >= SAFE_RUNC[series] and not (candidate and number == SAFE_RUNC[series])
    if series == SAFE_SERIES and candidate and number[2] == 0:
        return "rc" in version and int(found[4] or 0) >= FIRST_SAFE_CANDIDATE
    return series >= SAFE_SERIES


def faults(info: dict[str, Any], version: dict[str, Any], runtime: str | None) -> list[str]:
    """What is missing from an Engine (the answers of its /info and /version), in words that say how to mend it."""
    found = []
    if info.get("OSType") != "linux":
        found.append("It runs no Linux containers: name another with DOCKER_HOST.")
    security = " ".join(info.get("SecurityOptions") or [])
    if "name=seccomp" not in security:
        found.append("It has no seccomp: run an Engine and a kernel that have it (CONFIG_SECCOMP_FILTER).")
    for name, what, remedy in (
        ("MemoryLimit", "memory", "boot the host with cgroup_enable=memory"),
        ("SwapLimit", "swap", "boot the host with swapaccount=1"),
        ("PidsLimit", "processes", "run a kernel with the pids controller"),
        ("CpuCfsQuota", "CPU time", "run a kernel with CONFIG_CFS_BANDWIDTH"),
    ):
        if not info.get(name):
            found.append(f"It cannot limit {what}: {remedy}.")
    found += _runtime_faults(info, version, runtime)
    return found


def has_own_kernel(info: dict[str, Any], runtime: str | None) -> bool:
    """Whether the containers of a runtime have another kernel than the host (gVisor's runsc, Kata)."""
    name = runtime or info.get("DefaultRuntime", "runc")
    path = ((info.get("Runtimes") or {}).get(name) or {}).get("path") or ""
    return any(known in text for known in ("runsc", "gvisor", "kata") for text in (name, path))


def _runtime_faults(info: dict[str, Any], version: dict[str, Any], runtime: str | None) -> list[str]:
    default = info.get("DefaultRuntime", "runc")
    name = runtime or default
    runtimes = info.get("Runtimes") or {}
    if name not in runtimes:
        return [f"It has no OCI runtime {name} (RUNCODE_DOCKER_RUNTIME); it has {', '.join(sorted(runtimes))}."]
    path = runtimes[name].get("path") or name
    if "runc" not in path.rpartition("/")[2]:
        return []
    release = _release(runtimes[name], version, name if name == default else None)
    if release is None:
        return [f"It does not tell the version of its runtime {name}. {RUNC_REMEDY}"]
    if not runc_is_safe(release):
        return [f"Its runc {release} lets containers break out (CVE-2025-31133, -52565, -52881). {RUNC_REMEDY}"]
    return []


def _release(runtime: dict[str, Any], version: dict[str, Any], component: str | None) -> str | None:
    """The release of a runc: of the default one as a component of the Engine, of others as newer Engines tell."""
    for part in version.get("Components") or []:
        if part.get("Name") == component:
            return str(part.get("Version"))
    features = str((runtime.get("status") or {}).get("org.opencontainers.runtime-spec.features", ""))
    told = re.search(r'"org\.opencontainers\.runc\.version":\s*"([^"]+)"', features)
    return told[1] if told else None
