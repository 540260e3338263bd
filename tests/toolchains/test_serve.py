"""`./manage.py serve` run for real: what it prints works, what dies comes back, nothing is left behind."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from execution.management.commands.serve import supervisor_argv

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 60.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def _descendants(pid: int) -> dict[int, str]:
    """Living processes below `pid`, with their command lines."""
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (path / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if state != "Z":
            parents[int(path.name)] = int(parent)
            commands[int(path.name)] = command
    found: dict[int, str] = {}
    level = {pid}
    while level:
        level = {child for child, parent in parents.items() if parent in level}
        found |= {child: commands[child] for child in level}
    return found


def _living(pids: Iterable[int]) -> list[int]:
    """Those that still run; one that is dead and waits for its new parent to notice does not."""
    found = []
    for pid in pids:
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                found.append(pid)
    return found


class Service:
    """A `serve --demo` of its own, with its own home and port."""

    def __init__(self, home: Path, process: subprocess.Popen[bytes], port: int) -> None:
        self.home, self.process, self.port = home, process, port

    @property
    def output(self) -> str:
        return (self.home / "output").read_text(errors="replace")

    def child(self, module: str) -> int:
        """The process id of the child that runs a module."""
        (pid,) = [
            pid
            for pid, command in _descendants(self.process.pid).items()
            if f"-m {module}" in command
            and (Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1] == str(self.process.pid))
        ]
        return pid

    def call(self, code: str) -> dict[str, object]:
        demo = json.loads((self.home / "demo.json").read_text())
        answer = httpx.post(
            f"http://127.0.0.1:{self.port}/api/run-code-sync/",
            headers={"Authorization": demo["api_key"]},
            json={"compiler": "python-3.14", "code": code},
            timeout=PATIENCE,
        )
        answered: dict[str, object] = answer.json()
        return answered


def _environment(home: Path, port: int, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("RUNCODE_PUBLIC_URL", "DATABASE_URL")}
    ours = {"DJANGO_SETTINGS_MODULE": "config.settings", "RUNCODE_HOME": str(home), "PORT": str(port), "REDIS_URL": ""}
    return kept | ours | {"HOST": "127.0.0.1"} | more


def _serve(home: Path, port: int, *words: str, **more: str) -> list[str]:
    return [sys.executable, str(REPOSITORY / "manage.py"), "serve", *words]


@contextmanager
def serving(home: Path) -> Iterator[Service]:
    (home / "toolchains").symlink_to(Path(settings.RUNCODE_HOME / "toolchains").resolve())
    port = _free_port()
    with (home / "output").open("wb") as output:
        process = subprocess.Popen(
            _serve(home, port, "--demo"), env=_environment(home, port), stdout=output, stderr=output, cwd=home
        )
    service = Service(home, process, port)
    try:
        _wait_for(lambda: "curl -X POST" in service.output or process.poll() is not None, "it never became ready")
        assert process.poll() is None, service.output
        yield service
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("home")
    home.chmod(0o755)
    with serving(home) as running:
        yield running


def test_the_printed_line_runs_a_program(service: Service) -> None:
    (line,) = [line for line in service.output.splitlines() if "curl -X POST" in line]
    answer = subprocess.run([*shlex.split(line), "--silent"], capture_output=True, text=True, check=True)

    assert json.loads(answer.stdout)["output"] == "hello\n"
    for name in ("e-mail", "password", "API key", "WebSocket key"):
        assert re.search(rf"^    {name} +\S+$", service.output, re.M)
    assert f"http://localhost:{service.port} " in service.output


def test_a_killed_supervisor_comes_back(service: Service) -> None:
    old = service.child("execution.sandbox")
    os.kill(old, signal.SIGKILL)

    _wait_for(lambda: "The sandbox supervisor is back." in service.output, "the supervisor never came back")
    assert "The sandbox supervisor was killed by SIGKILL; starting it again in 0.2 s." in service.output
    assert service.child("execution.sandbox") != old
    assert service.call("print(6 * 7)")["output"] == "42\n"


def test_callers_wait_for_a_killed_web_process_instead_of_being_refused(service: Service) -> None:
    os.kill(service.child("execution.management.web"), signal.SIGKILL)

    # At once: nobody but the listening socket itself is there to take this call.
    assert service.call("print('waited')")["output"] == "waited\n"
    _wait_for(lambda: "The web process is back." in service.output, "the web process was not announced")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_and_it_ends_well(tmp_path: Path, number: signal.Signals) -> None:
    tmp_path.chmod(0o755)
    with serving(tmp_path) as running:
        processes = _descendants(running.process.pid)
        assert len(processes) >= 3
        running.process.send_signal(number)
        assert running.process.wait(PATIENCE) == 0

    assert "Traceback" not in running.output
    _wait_for(lambda: not _living(processes), "processes were left")
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", running.port))


def test_killed_itself_it_leaves_no_process(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with serving(tmp_path) as running:
        processes = _descendants(running.process.pid)
        assert len(processes) >= 3
        running.process.kill()
        running.process.wait(PATIENCE)
        _wait_for(lambda: not _living(processes), "processes were left")


def test_a_taken_port_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = subprocess.run(
            _serve(tmp_path, port), env=_environment(tmp_path, port), capture_output=True, text=True, check=False
        )

    assert answer.returncode != 0
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use." in answer.stderr
    assert f"PORT={port + 1}" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_several_web_processes_need_redis(tmp_path: Path) -> None:
    answer = subprocess.run(
        _serve(tmp_path, 8000),
        env=_environment(tmp_path, 8000, RUNCODE_WEB_WORKERS="2"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode != 0
    assert "set REDIS_URL" in answer.stderr


def test_a_supervisor_that_cannot_start_ends_the_service_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where the supervisor wants a directory")
    answer = subprocess.run(
        _serve(tmp_path, port := _free_port()),
        env=_environment(tmp_path, port),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert answer.returncode == 1
    assert "The sandbox supervisor ended with exit code 1 before it was ready." in answer.stderr


def test_root_starts_the_supervisor_itself_and_others_through_sudo_on_a_tether() -> None:
    assert supervisor_argv("/home", 0)[1:] == ["-m", "execution.sandbox", "--home", "/home"]
    argv = supervisor_argv("/home", 1000)
    assert argv[:2] == ["sudo", "-n"]
    assert argv[3:5] == ["-m", "execution.management.tether"]
    assert argv[-4:] == ["--home", "/home", "--owner", "1000"]


def _tether(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "execution.management.tether", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
    )


def test_a_tethered_command_ends_when_its_holder_lets_go() -> None:
    with _tether("sh", "-c", "trap 'echo ended; exit 7' TERM; echo up; while :; do sleep 0.05; done") as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"up\n"
        process.stdin.close()
        assert process.stdout.read() == b"ended\n"
        assert process.wait(PATIENCE) == 7


def test_a_tethered_command_ends_its_tether_when_it_ends_itself() -> None:
    with _tether("sh", "-c", "kill -KILL $$") as process:
        assert process.wait(PATIENCE) == 128 + signal.SIGKILL
