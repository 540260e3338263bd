"""What a host must be able to do: its Python, its kernel, its disk, its port. One function for each looks, and names
the command that mends it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

from execution.environment import listen_address
from execution.host_findings import Finding, as_root, is_root

PYTHON = (3, 11)
FREE_BYTES = 2 << 30  # virtual environment 0.4 GB, first toolchains 0.35 GB twice while they change over, and room
CONTROLLERS = ("memory", "pids", "cpu")


def _works(*argv: str) -> str | None:
    """What a program said when it failed, None when it worked."""
    try:
        answer = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if answer.returncode == 0:
        return None
    return answer.stdout.decode(errors="replace").strip() or f"exit code {answer.returncode}"


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    shown = ".".join(map(str, version))
    if tuple(version[:2]) >= PYTHON:
        return Finding("Python", shown)
    wanted = ".".join(map(str, PYTHON))
    return Finding(
        "Python", f"{shown} is too old", f"install Python {wanted} or newer, then: make PYTHON=python{wanted} run"
    )


def check_root() -> Finding:
    if is_root():
        return Finding("root", "yes")
    if shutil.which("sudo"):
        return Finding("root", "by sudo")
    remedy = "run this as root, or: su -c 'apt-get install sudo && adduser YOU sudo'"
    return Finding("root", "the sandbox supervisor needs root, and there is no sudo", remedy)


def check_user_namespaces(sysctl: Path = Path("/proc/sys")) -> Finding:
    def number(name: str) -> int | None:
        try:
            return int((sysctl / name).read_text())
        except (OSError, ValueError):
            return None

    if number("user/max_user_namespaces") == 0:
        remedy = as_root("sysctl -w user.max_user_namespaces=65536")
        return Finding("user namespaces", "switched off", remedy)
    if not is_root() and number("kernel/unprivileged_userns_clone") == 0:
        return Finding("user namespaces", "for root only", as_root("sysctl -w kernel.unprivileged_userns_clone=1"))
    if not is_root() and number("kernel/apparmor_restrict_unprivileged_userns") == 1:
        remedy = as_root("sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
        return Finding("user namespaces", "held back by AppArmor", remedy)
    said = _works("unshare", "--user", "--map-root-user", "true")
    if said:
        remedy = "use a host, or a container started with --privileged, that lets you make user namespaces"
        return Finding("user namespaces", f"refused: {said}", remedy)
    return Finding("user namespaces", "yes")


def check_proc() -> Finding:
    """A fresh /proc inside namespaces: refused where the host's own is covered in parts, as in most containers."""
    said = _works(
        *("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount", "--mount-proc", "true"),
    )
    if said:
        remedy = "in a container, start it with --security-opt systempaths=unconfined (or --privileged)"
        return Finding("fresh /proc", f"refused: {said}", remedy)
    return Finding("fresh /proc", "yes")


def check_cgroups(mounts: str | None = None) -> Finding:
    """The controllers memory, pids and cpu, in either hierarchy. `mounts` is the text of /proc/self/mounts."""
    text = Path("/proc/self/mounts").read_text() if mounts is None else mounts
    first_version: set[str] = set()
    second_version: set[str] = set()
    for line in text.splitlines():
        _, point, kind, options = line.split()[:4]
        if kind in ("cgroup", "cgroup2") and "ro" in options.split(","):
            remedy = as_root(f"mount -o remount,rw {point}") + " (in a container: start it with --privileged)"
            return Finding("cgroups", f"{point} is read-only", remedy)
        if kind == "cgroup":
            first_version.update(set(options.split(",")) & set(CONTROLLERS))
        elif kind == "cgroup2":
            try:
                offered = Path(point, "cgroup.controllers").read_text().split()
            except OSError:
                continue
            second_version.update(set(offered) & set(CONTROLLERS))
    for name, found in (("v2", second_version), ("v1", first_version)):
        if found >= set(CONTROLLERS):
            return Finding("cgroups", f"{name} with {', '.join(CONTROLLERS)}")
    missing = [name for name in CONTROLLERS if name not in first_version | second_version] or list(CONTROLLERS)
    if first_version:
        remedy = "; ".join(
            as_root(f"mkdir -p /sys/fs/cgroup/{name} && mount -t cgroup -o {name} cgroup /sys/fs/cgroup/{name}")
            for name in missing
        )
    else:
        remedy = "boot with the kernel parameters cgroup_enable=memory swapaccount=1 (or delegate the controllers)"
    return Finding("cgroups", f"without {', '.join(missing)}", remedy)


def check_disk(where: Path) -> Finding:
    place = where
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    shown = f"{free / (1 << 30):.1f} GB free for {where}"
    if free >= FREE_BYTES:
        return Finding("disk", shown)
    remedy = f"free some, or name a roomier place: RUNCODE_HOME=/path make run ({FREE_BYTES >> 30} GB are needed)"
    return Finding("disk", shown, remedy)


def check_port() -> Finding:
    try:
        host, port = listen_address()
    except ValueError as error:
        return Finding("port", str(error), "PORT=8000 make run")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        # As the server itself will: a port whose last connections are still winding down counts as free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            detail = f"{host}:{port} cannot be used: {error.strerror}"
            return Finding(
                "port", detail, f"stop what uses it (ss -ltnp 'sport = :{port}'), or: PORT={port + 1} make run"
            )
    return Finding("port", f"{host}:{port} is free")
