"""Real supervisors for the tests: each with a home of its own, all with the same installed toolchains."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from execution.sandbox.native import inspection
from execution.sandbox.native.driver import instance_name
from execution.sandbox.supervisor import socket_path

REPOSITORY = Path(__file__).parent.parent.parent
PATIENCE = 30.0
# Sandboxes that the tests' supervisors make ahead: those of two dozen languages would be made in vain by most of them.
READY = "python-3.14"
# `make test-drivers`: also what takes minutes with containers, and is no different there, is tried on both drivers.
ALL_ON_BOTH = os.environ.get("RUNCODE_TEST_DRIVERS") == "all"


class RunningSupervisor:
    def __init__(self, home: Path, process: subprocess.Popen[bytes]) -> None:
        self.home = home
        self.process = process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def socket(self) -> Path:
        return socket_path(self.home)

    def sandboxes(self) -> dict[int, list[int]]:
        """Every sandbox that has a living process: bubblewrap's monitor → the host's pids of what runs inside."""
        (launcher,) = inspection.children(self.pid)
        return {monitor: list(living(descendants(monitor))) for monitor in living(inspection.children(launcher))}

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def log(self) -> str:
        return (self.home / "log").read_text(encoding="utf-8")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for child in inspection.children(pid):
        found += [child, *descendants(child)]
    return found


def living(pids: list[int]) -> Iterator[int]:
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z":
                yield pid
        except (FileNotFoundError, ProcessLookupError):
            continue


def accepts(path: Path) -> bool:
    """Whether somebody listens: the socket's file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


def start(home: Path, *, toolchains: Path | None = None, engine: str | None = None) -> RunningSupervisor:
    """`engine`: the address of the Docker Engine that its sandboxes are containers of; without one they are native."""
    command = [sys.executable, "-m", "execution.sandbox", "--home", str(home)]
    command += ["--toolchains", str(toolchains or settings.RUNCODE_HOME / "toolchains")]
    command += ["--driver", "docker" if engine else "native", "--ready", READY]
    environment = os.environ | ({"DOCKER_HOST": engine} if engine else {})
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log, env=environment)
    supervisor = RunningSupervisor(home, process)
    deadline = time.monotonic() + PATIENCE
    while not accepts(supervisor.socket):
        assert process.poll() is None, supervisor.log()
        assert time.monotonic() < deadline, supervisor.log()
        time.sleep(0.02)
    return supervisor


@contextmanager
def running(*, toolchains: Path | None = None, engine: str | None = None) -> Iterator[RunningSupervisor]:
    """A supervisor in a new home, stopped in the end as an operator would."""
    home = Path(tempfile.mkdtemp(prefix="runcode-"))
    supervisor = start(home, toolchains=toolchains, engine=engine)
    try:
        yield supervisor
    finally:
        if supervisor.process.poll() is None:
            supervisor.process.send_signal(signal.SIGTERM)
            supervisor.process.wait(PATIENCE)
        shutil.rmtree(home)


def cgroup_directories(home: Path) -> list[Path]:
    """The control groups of this home's supervisor, in every hierarchy of the host."""
    instance = instance_name(home)
    roots = list(Path("/sys/fs/cgroup").glob(f"*/runcode/{instance}"))
    roots += list(Path("/sys/fs/cgroup").glob(f"runcode/{instance}"))
    return [path for root in roots for path in root.iterdir() if path.is_dir()]


def memory_of(pid: int) -> int:
    """Resident memory in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
