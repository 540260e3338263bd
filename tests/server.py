"""The whole service for tests, as an operator runs it: `manage.py serve` in a home of its own, on a free port."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings

from execution.sandbox.native import inspection
from tests.sandbox.supervisors import READY

REPOSITORY = Path(__file__).parent.parent
PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], what: Callable[[], str], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


# Charlie, with an organisation and an API key of his own, which is printed.
STRANGER = """
from accounts.key_lifecycle import create_api_key
from accounts.models import User
from accounts.organisations import ensure_personal_organisation
charlie, _ = User.objects.get_or_create(email="charlie@strangers.example")
organisation = ensure_personal_organisation(user=charlie)
print(create_api_key(organisation=organisation, created_by=charlie, name="Stranger")[1])
"""


class Service:
    """`home` is its RUNCODE_HOME, `demo` what `manage.py demo --json` prints, `process` is `manage.py serve`."""

    def __init__(self, home: Path, environment: Mapping[str, str], *, arguments: Sequence[str] = ()) -> None:
        self.home = home
        self.arguments = arguments
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # Only what a service needs: the tests' own settings module must not reach it.
        self.environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "RUNCODE_HOME": str(home),
            "RUNCODE_PUBLIC_URL": self.url,
            "RUNCODE_LOG_FORMAT": "json",
            "PORT": str(self.port),
            "REDIS_URL": "",
            "RUNCODE_BROKER": "",
            "RUNCODE_READY": READY,
            **environment,
        }
        self.process: subprocess.Popen[bytes]
        self.second: subprocess.Popen[bytes]
        self.demo: dict[str, str] = {}

    # --- its life ---

    def start(self) -> None:
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--demo", *self.arguments],
                cwd=REPOSITORY,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.wait_until_ready()
        self.demo = httpx.Response(200, content=self.manage("demo", "--json")).json()

    def stop(self) -> None:
        """As Ctrl-C does; returns when everything has ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE)

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.process.poll() is not None or is_ready(self.url), self.log)
        assert self.process.poll() is None, self.log()

    # --- its processes ---

    def child(self, module: str) -> int:
        """The process id of one of its two children: `execution.sandbox` or `execution.management.web`."""
        for pid in inspection.children(self.process.pid):
            if module in _command_line(pid):
                return pid
        raise AssertionError(f"no {module} is running:\n{self.log()}")

    @property
    def supervisor(self) -> int:
        return self.child("execution.sandbox")

    @property
    def web(self) -> int:
        return self.child("execution.management.web")

    @contextmanager
    def second_web(self) -> Iterator[str]:
        """A second web process beside the service's own, as on another machine; its address. It needs REDIS_URL.

        `second` is the process that was started last."""
        with socket.create_server(("127.0.0.1", 0)) as listener, (self.home / "log").open("ab") as log:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            process = self.second = subprocess.Popen(
                [sys.executable, "-m", "execution.management.web", str(listener.fileno())],
                cwd=REPOSITORY,
                env=self.environment,
                pass_fds=[listener.fileno()],
                stdout=log,
                stderr=log,
            )
        try:
            wait_until(lambda: process.poll() is not None or is_ready(url), self.log)
            assert process.poll() is None, self.log()
            yield url
        finally:
            process.terminate()
            process.wait(PATIENCE)

    # --- talking to it ---

    def manage(self, *arguments: str) -> bytes:
        """The output of a management command on this installation."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=REPOSITORY, env=self.environment, check=True, capture_output=True).stdout

    def stranger_key(self) -> str:
        """An API key of somebody who has nothing to do with the demo's organisation."""
        return self.manage("shell", "-v0", "-c", STRANGER).decode().split()[-1]

    def shell(self, line: str) -> str:
        """What a shell line with curl prints, with `$BASE` and this service's keys set. The call must be accepted."""
        done = subprocess.run(
            ["bash", "-c", line.replace("curl ", "curl --silent --show-error --fail-with-body ", 1)],
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "BASE": self.url,
                "API_KEY": self.demo["api_key"],
                "SECRET": self.demo["secret"],
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": self.demo["api_key"]}, timeout=60, **options)

    def async_client(self, **options: Any) -> httpx.AsyncClient:
        headers = {"Authorization": self.demo["api_key"]}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60, **options)

    def usage(self) -> dict[str, Any]:
        usage: dict[str, Any] = (
            httpx.get(f"{self.url}/cus/{self.demo['secret']}/", timeout=30).raise_for_status().json()
        )
        return usage

    def log(self) -> str:
        return (self.home / "log").read_text(encoding="utf-8", errors="replace")


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


@contextmanager
def running_service(**environment: str) -> Iterator[Service]:
    """A service with the tests' toolchains and nothing else of theirs, stopped and removed in the end."""
    home = Path(tempfile.mkdtemp(prefix="runcode-service-"))
    home.chmod(0o755)
    (home / "toolchains").symlink_to((settings.RUNCODE_HOME / "toolchains").resolve())
    service = Service(home, environment)
    try:
        service.start()
        yield service
    finally:
        service.stop()
        shutil.rmtree(home)
