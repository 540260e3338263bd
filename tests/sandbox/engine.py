"""A real Docker Engine of the tests' own: Debian's, with a runc that is new enough for the driver.

Its images stay beside the toolchains (RUNCODE_HOME/docker), because importing them costs a minute; all else of it is
gone when the last test process that uses it ends.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from execution.sandbox.docker.requirements import runc_is_safe
from execution.toolchains import apt_sources
from tests.settings import INSTALLED_TOOLCHAINS

FOLDER = INSTALLED_TOOLCHAINS.parent / "docker"
# The Engine's own files: one for each such folder, and short, because of the sockets in it.
RUN = Path("/run") / f"runcode-tests-{hashlib.sha256(bytes(FOLDER)).hexdigest()[:8]}"
HOST = f"unix://{RUN}/docker.sock"
PATIENCE = 60.0
# By this name the Engine has the host's own runc too, which may be an old one.
HOSTS_RUNC = "runc-of-the-host"
# What Debian 12's runc lacks is taken from here (sid is where the toolchains come from too).
SUITE = "sid"
RUNC_PACKAGES = ("runc", "libc6", "libseccomp2")


@contextmanager
def running() -> Iterator[str]:
    """The address of an Engine that runs while somebody is in this context, in whichever process."""
    missing = [name for name in ("dockerd", "containerd", "patchelf") if shutil.which(name) is None]
    if missing:
        pytest.fail(f"{', '.join(missing)} missing; mend it: python3 execution/doctor.py --install --tests")
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "starting").open("w") as starting, (FOLDER / "users").open("w") as users:
        fcntl.flock(starting, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        if not _answers():
            _stop()
            _start(_runc())
        fcntl.flock(starting, fcntl.LOCK_UN)
        try:
            yield HOST
        finally:
            fcntl.flock(starting, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_UN)
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _stop()
            except BlockingIOError:
                pass  # others still use it


def _answers() -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(f"{RUN}/docker.sock")
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 OK" in connection.recv(64)
        except OSError:
            return False


def _start(runc: Path) -> None:
    RUN.mkdir(mode=0o711, parents=True)
    options = ["--iptables=false", "--ip6tables=false", "--bridge=none", f"--host={HOST}", f"--pidfile={RUN}/pid"]
    options += [f"--data-root={FOLDER}/data", f"--exec-root={RUN}/exec"]
    if own := shutil.which("runc"):
        options.append(f"--add-runtime={HOSTS_RUNC}={own}")
    # Found by the Engine and by the process that it has beside each container.
    environment = os.environ | {"PATH": f"{runc.parent}:{os.environ['PATH']}"}
    with (FOLDER / "log").open("wb") as log:
        # No child of ours: it outlives the test process that happened to start it.
        subprocess.run(["setsid", "--fork", "dockerd", *options], stdout=log, stderr=log, env=environment, check=True)
    deadline = time.monotonic() + PATIENCE
    while not _answers():
        said = (FOLDER / "log").read_text(errors="replace")[-2000:]
        assert time.monotonic() < deadline, f"dockerd does not answer:\n{said}"
        time.sleep(0.05)


def _stop() -> None:
    """Ends the Engine, its containers and what it mounted."""
    try:
        pid = int((RUN / "pid").read_text())
        os.kill(pid, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        pid = 0
    deadline = time.monotonic() + PATIENCE
    while pid and Path(f"/proc/{pid}").exists() and _state(pid) != "Z":
        assert time.monotonic() < deadline, "dockerd does not end"
        time.sleep(0.05)
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        point = line.split(" ")[1]
        if point.startswith((f"{RUN}/", f"{FOLDER}/")):
            subprocess.run(["umount", "--lazy", point], check=False)
    shutil.rmtree(RUN, ignore_errors=True)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "Z"


# --- runc ---


def _runc() -> Path:
    """A runc that the driver takes: the host's own, else one of Debian sid with the libraries that it is linked to."""
    own = shutil.which("runc")
    if own and is_safe(Path(own)):
        return Path(own)
    runc = FOLDER / "runc" / "runc"
    if not runc.exists():
        with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
            _fetch_runc(Path(scratch), runc.parent)
    assert is_safe(runc), f"Debian {SUITE} has no runc that is new enough"
    return runc


def is_safe(runc: Path) -> bool:
    told = subprocess.run([runc, "--version"], capture_output=True, text=True, check=True).stdout
    return runc_is_safe(told.split()[2])


def _fetch_runc(scratch: Path, target: Path) -> None:
    mirror = apt_sources.debian_mirrors()[0]
    (scratch / "sources.list").write_text(f"deb [signed-by={mirror.keyrings}] {mirror.address} {SUITE} main\n")
    for folder in ("lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True)
    options = {
        "Dir::Etc::SourceList": f"{scratch}/sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": f"{scratch}/lists",
        "Dir::Cache": f"{scratch}/cache",
        "Acquire::Check-Valid-Until": "false",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items())]
    subprocess.run([*apt, "update"], cwd=scratch, check=True, capture_output=True)
    subprocess.run([*apt, "download", *RUNC_PACKAGES], cwd=scratch, check=True, capture_output=True)
    target.mkdir(exist_ok=True)
    for package in scratch.glob("*.deb"):
        subprocess.run(["dpkg-deb", "--extract", package, target / "root"], check=True)
    (binary,) = (path for path in (target / "root").glob("usr/*bin/runc") if not path.is_symlink())
    (loader,) = (path for path in (target / "root").glob("usr/lib/*-linux-gnu/ld-linux-*.so.*"))
    unfinished = target / "unfinished"
    shutil.copy(binary, unfinished)
    subprocess.run(
        ["patchelf", "--set-interpreter", loader, "--set-rpath", loader.parent, unfinished],
        check=True,
        capture_output=True,
    )
    unfinished.rename(target / "runc")
