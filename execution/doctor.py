"""Is this host fit? Names what is missing, with the exact command that mends it; with `--install` it mends what
Debian packages can.

    python3 execution/doctor.py [--install] [--tests] [--no-port] [--brief]

Runs on the system's Python before anything else is installed, even on one too old for the service: it imports only
the standard library and modules of ours that keep to the same rule.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

if __name__ == "__main__":
    # Started as a file, Python looks for modules beside it; ours are found from the clone's top.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from execution.environment import home, listen_address, load_env_file
from execution.toolchains.progress import Progress

PYTHON = (3, 11)
FREE_BYTES = 2 << 30  # virtual environment 0.4 GB, first toolchains 0.35 GB twice while they change over, and room
CONTROLLERS = ("memory", "pids", "cpu")


class Finding(NamedTuple):
    """One thing looked at. `remedy` is None when it is as it should be; `packages` are Debian's that mend it."""

    subject: str
    detail: str
    remedy: str | None = None
    packages: tuple[str, ...] = ()


class Need(NamedTuple):
    """A Debian package, and how to tell that what it brings is there (also when it came another way)."""

    package: str
    reason: str
    present: Callable[[], bool]


def _command(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def _file(*patterns: str) -> Callable[[], bool]:
    return lambda: any(True for pattern in patterns for _ in Path("/").glob(pattern))


def _library(name: str) -> Callable[[], bool]:
    def loads() -> bool:
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
        return True

    return loads


def _venv_ready() -> bool:
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


NEEDS = (
    Need("python3-venv", "makes the virtual environment", _venv_ready),
    Need("bubblewrap", "holds programs in their sandbox", _command("bwrap")),
    Need("libseccomp2", "filters their system calls", _library("libseccomp.so.2")),
    Need("gcc", "compiles the sandbox's helpers", _command("gcc")),
    Need("musl-tools", "compiles the sandbox's helpers", _command("musl-gcc")),
    Need("mmdebstrap", "installs toolchains", _command("mmdebstrap")),
    Need("debian-archive-keyring", "checks toolchains", _file("usr/share/keyrings/debian-archive-keyring.gpg")),
    Need("xz-utils", "unpacks toolchains", _command("xz")),
    Need("zstd", "unpacks toolchains", _command("zstd")),
    Need("util-linux", "ties helpers to the service's life", _command("setpriv")),
    Need("curl", "makes the first call", _command("curl")),
)
# Without root, toolchains are unpacked in a user namespace with subordinate ids.
NEEDS_OF_USERS = (Need("uidmap", "installs toolchains without root", _command("newuidmap")),)
NEEDS_OF_TESTS = (
    Need("redis-server", "the tests' Redis", _command("redis-server")),
    Need("postgresql", "the tests' PostgreSQL", _file("usr/lib/postgresql/*/bin/postgres", "usr/local/bin/postgres")),
    Need("chromium", "the tests' browser", _command("chromium", "chromium-browser", "google-chrome")),
    Need("skopeo", "the tests of image toolchains", _command("skopeo")),
    Need("umoci", "the tests of image toolchains", _command("umoci")),
    Need("git", "the tests' clones", _command("git")),
    Need("nodejs", "the tests' JavaScript clients", _command("node")),
    Need("npm", "the tests' JavaScript clients", _command("npm")),
)


def is_root() -> bool:
    return os.geteuid() == 0


def as_root(command: str) -> str:
    """A command line for people, with sudo in front where it is needed."""
    return command if is_root() else "sudo " + command


def _works(*argv: str) -> str | None:
    """What a program said when it failed, None when it worked."""
    try:
        answer = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if answer.returncode == 0:
        return None
    return answer.stdout.decode(errors="replace").strip() or f"exit code {answer.returncode}"


# --- The checks ---


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    shown = ".".join(map(str, version))
    if tuple(version[:2]) >= PYTHON:
        return Finding("Python", shown)
    wanted = ".".join(map(str, PYTHON))
    return Finding(
        "Python", f"{shown} is too old", f"install Python {wanted} or newer, then: make PYTHON=python{wanted} run"
    )


def check_needs(needs: tuple[Need, ...]) -> Iterator[Finding]:
    for need in needs:
        if need.present():
            yield Finding(need.package, need.reason)
        else:
            remedy = as_root(f"apt-get install {need.package}")
            yield Finding(need.package, f"missing ({need.reason})", remedy, (need.package,))


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


def needs(*, tests: bool) -> tuple[Need, ...]:
    return NEEDS + (() if is_root() else NEEDS_OF_USERS) + (NEEDS_OF_TESTS if tests else ())


def examine(*, tests: bool, port: bool) -> list[Finding]:
    """Everything looked at, in the order in which it should be mended."""
    return [
        check_python(),
        check_root(),
        *check_needs(needs(tests=tests)),
        check_user_namespaces(),
        check_proc(),
        check_cgroups(),
        check_disk(home()),
        *((check_port(),) if port else ()),
    ]


# --- The mending ---


@contextmanager
def _no_services() -> Iterator[None]:
    """Keeps Debian from starting the daemons of packages that tests only borrow the program of (policy-rc.d is
    Debian's own switch for that: 101 means `not allowed`)."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = is_root() and not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            policy.unlink()


def _apt_get(progress: Progress, *arguments: str) -> str | None:
    """Runs apt-get and shows how far it is. Returns the end of what it said when it failed."""
    argv = ["apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Status-Fd=1"]
    if not is_root():
        argv = ["sudo", "DEBIAN_FRONTEND=noninteractive", *argv]
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    said: list[str] = []
    with subprocess.Popen(
        [*argv, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, universal_newlines=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        for line in process.stdout:
            # apt's README.progress-reporting: `dlstatus:n:percent:text`, `pmstatus:package:percent:text`
            status = re.match(r"(dl|pm)status:([^:]*):([\d.]+):(.*)", line)
            if status:
                phase = "downloading" if status[1] == "dl" else "setting up"
                progress.show("Debian packages", phase, status[4].strip(), float(status[3]) / 100)
            else:
                said.append(line)
    return None if process.returncode == 0 else "".join(said[-12:]).strip()


def install(packages: list[str], progress: Progress) -> str | None:
    """Installs Debian packages; the package lists are fetched when they are missing or too old to be of use. Returns
    what apt said when it failed."""
    progress.done(f"Installing Debian packages: {' '.join(packages)}")
    wanted = ["install", "--no-install-recommends", *packages]
    with _no_services():
        known = any(Path("/var/lib/apt/lists").glob("*Packages*"))
        failure = _apt_get(progress, *wanted) if known else "no package lists yet"
        if failure:
            progress.show("Debian packages", "reading the package lists")
            failure = _apt_get(progress, "update") or _apt_get(progress, *wanted)
    if failure is None:
        progress.done("Debian packages installed")
    return failure


def mend(findings: list[Finding], progress: Progress) -> str | None:
    packages = [package for finding in findings for package in finding.packages]
    if not packages:
        return None
    if not shutil.which("apt-get"):
        return "apt-get is not here: this host is no Debian; install by your own means: " + " ".join(packages)
    if not is_root() and not shutil.which("sudo"):
        return "neither root nor sudo: become root, then: apt-get install " + " ".join(packages)
    return install(packages, progress)


def report(findings: list[Finding], write: Callable[[str], object], *, brief: bool) -> int:
    """Prints the findings (only the bad ones if `brief`) and returns the exit code: 0 fit, 1 not."""
    bad = [finding for finding in findings if finding.remedy]
    for finding in bad if brief else findings:
        write(f"  {'NO ' if finding.remedy else 'ok '} {finding.subject:<24}{finding.detail}\n")
        if finding.remedy:
            write(f"      mend it: {finding.remedy}\n")
    packages = [package for finding in bad for package in finding.packages]
    if len(packages) > 1:
        write(f"  All packages at once: {as_root('apt-get install ' + ' '.join(packages))}\n")
    write(f"  {len(bad)} to mend before this host is fit.\n" if bad else "  This host is fit.\n")
    return 1 if bad else 0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="doctor", description="Is this host fit to run the service?")
    parser.add_argument("--install", action="store_true", help="install the missing Debian packages")
    parser.add_argument("--tests", action="store_true", help="also look for what the tests need")
    parser.add_argument("--no-port", action="store_true", help="do not look whether the port is free")
    parser.add_argument("--brief", action="store_true", help="print only what is wrong")
    options = parser.parse_args(argv)
    load_env_file()
    # Tests choose free ports themselves.
    port = not (options.tests or options.no_port)
    findings = examine(tests=options.tests, port=port)
    if options.install and any(finding.packages for finding in findings):
        failure = mend(findings, Progress())
        if failure:
            sys.stdout.write(f"  The packages could not be installed:\n{failure}\n")
        findings = examine(tests=options.tests, port=port)
    return report(findings, sys.stdout.write, brief=options.brief)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
