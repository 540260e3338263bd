"""Installs Debian packages on the host, with progress."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from execution.host_findings import Finding, is_root
from execution.toolchains.progress import Progress


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
