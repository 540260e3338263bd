"""The service under measurement: `manage.py serve` in a home of its own, and clients on keep-alive connections."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.cpu import Group, accounting_root, cpu_seconds
from execution.sandbox.native.driver import instance_name
from execution.sandbox.supervisor import socket_path

REPOSITORY = Path(__file__).parent.parent
START_SECONDS = 120.0
QUIET_SECONDS = 1.5

# The free plan would refuse eight calls at once; nothing else differs.
UPGRADE = """
from accounts.models import Organisation
from billing.plans import SCALE
from billing.subscriptions import subscribe
subscribe(Organisation.objects.get(secret={secret!r}).pk, SCALE)
"""


class Connection:
    """A keep-alive connection that sends the same call again and again."""

    def __init__(self, port: int, key: str, *, compiler: str, code: str, expected: str) -> None:
        self._compiler, self._key = compiler, key
        self.send(code)
        self._expected = json.dumps({"output": expected})[1:-1].encode()
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, code: str) -> None:
        """Another program, from the next call on."""
        body = json.dumps({"compiler": self._compiler, "code": code}).encode()
        head = (
            "POST /api/run-code-sync/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Authorization: {self._key}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._request = head.encode() + body

    def call(self) -> None:
        self._socket.sendall(self._request)
        answer = self._socket.recv(65536)
        while not _is_whole(answer):
            if not (more := self._socket.recv(65536)):
                break
            answer += more
        if not answer.startswith(b"HTTP/1.1 200 ") or self._expected not in answer:
            raise RuntimeError(f"the service answered {answer!r}")

    def close(self) -> None:
        self._socket.close()


def _is_whole(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        return False
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
    return len(body) >= int(length)


class BenchService:
    """A running service; `connect` gives connections to it."""

    def __init__(
        self, home: Path, port: int, demo: dict[str, str], group: Group, environment: Mapping[str, str]
    ) -> None:
        self.port = port
        self.demo = demo
        self.supervisor = socket_path(home)
        self._environment = environment
        self._key = demo["api_key"]
        self._groups = (group.path, accounting_root() / "runcode" / instance_name(home))

    def manage(self, *arguments: str) -> bytes:
        """What a management command prints on this installation."""
        return _manage(self._environment, *arguments)

    @property
    def web(self) -> int:
        """The process id of the web process."""
        for pid in (self._groups[0] / "cgroup.procs").read_text(encoding="ascii").split():
            if b"execution.management.web" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
        raise RuntimeError("There is no web process.")

    @property
    def sandboxes(self) -> Path:
        """The folder of the sandboxes' control groups."""
        return self._groups[1]

    def connect(self, **call: str) -> Connection:
        """`call`: the `compiler`, the `code` and the `expected` output of what it will call."""
        return Connection(self.port, self._key, **call)

    def cpu_seconds(self) -> float:
        """Of all its processes: web, supervisor, launcher, and everything inside the sandboxes."""
        return sum(cpu_seconds(group) for group in self._groups)

    def load(self, *, clients: int, seconds: float, **call: str) -> dict[str, Any]:
        """All clients at once, each one call after the other, on connections made before the clock starts.

        The processor time is counted until all is quiet again.
        """
        connections = [self.connect(**call) for _ in range(clients)]
        before, began = self.cpu_seconds(), time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            runs = sum(pool.map(lambda connection: _call_until(connection, began + seconds), connections))
        took = time.perf_counter() - began
        for connection in connections:
            connection.close()
        # What is done behind the answers (new sandboxes, the bill) belongs to the runs.
        time.sleep(QUIET_SECONDS)
        return {"runs": runs, "seconds": took, "cpu_seconds": self.cpu_seconds() - before}


def _call_until(connection: Connection, end: float) -> int:
    runs = 0
    while time.perf_counter() < end:
        connection.call()
        runs += 1
    return runs


@contextmanager
def running(toolchains: Path) -> Iterator[BenchService]:
    """The service with these toolchains, stopped and removed in the end."""
    home = Path(tempfile.mkdtemp(prefix="runcode-bench-"))
    home.chmod(0o755)
    (home / "toolchains").symlink_to(toolchains.resolve())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {
        "RUNCODE_HOME": str(home),
        "PORT": str(port),
        "RUNCODE_LOG_FORMAT": "json",
        "REDIS_URL": "",
        "DATABASE_URL": "",
    }
    environment = {**os.environ, **own, "DATABASE_URL": f"sqlite:///{home}/db.sqlite3"}
    group = Group()
    command = [sys.executable, "manage.py", "serve", "--demo"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=group.join,
        )
    try:
        _wait(process, port, home / "log")
        demo = json.loads(_manage(environment, "demo", "--json"))
        _manage(environment, "shell", "-v0", "-c", UPGRADE.format(secret=demo["secret"]))
        yield BenchService(home, port, demo, group, environment)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        group.remove()
        shutil.rmtree(home)


def _manage(environment: Mapping[str, str], *arguments: str) -> bytes:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True).stdout


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if connection.recv(4096).startswith(b"HTTP/1.1 200 "):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the service did not start:\n{log.read_text(encoding='utf-8')}")
