"""`./manage.py serve` run for real: what it prints works, what dies comes back, nothing is left behind."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings

from execution.management.commands.serve import supervisor_argv
from execution.sandbox.native import inspection
from execution.sandbox.supervisor import claim
from tests.ratelimits.redis_server import RedisServer
from tests.sandbox import supervisors
from tests.server import PATIENCE, REPOSITORY, Service, free_port, running_service, wait_until


@pytest.fixture(scope="module")
def served() -> Iterator[Service]:
    """A service of this file's own: its processes are killed here."""
    with running_service() as service:
        wait_until(lambda: "curl -X POST" in service.log(), service.log)
        yield service


def _call(service: Service, code: str) -> str:
    with service.client() as client:
        answer = client.post("/api/run-code-sync/", json={"compiler": "python-3.14", "code": code})
    output: str = answer.raise_for_status().json()["output"]
    return output


def _descendants(pid: int) -> list[int]:
    found = []
    for child in inspection.children(pid):
        found += [child, *_descendants(child)]
    return found


def _living(pids: Iterable[int]) -> list[int]:
    """Those that still run; one that is dead and waits for its new parent to notice does not."""
    found = []
    for pid in pids:
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z":
                found.append(pid)
    return found


def _fails(home: Path, *, cwd: Path = REPOSITORY, **environment: str) -> str:
    """Runs `serve` with settings with which it cannot start; what it said."""
    answer = subprocess.run(
        [sys.executable, REPOSITORY / "manage.py", "serve"],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "RUNCODE_HOME": str(home), "REDIS_URL": "", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert answer.returncode != 0
    assert "Traceback" not in answer.stderr
    return answer.stderr


def test_the_printed_line_runs_a_program(served: Service) -> None:
    (line,) = [line for line in served.log().splitlines() if "curl -X POST" in line]
    answer = subprocess.run([*shlex.split(line), "--silent"], capture_output=True, text=True, check=True)

    assert json.loads(answer.stdout)["output"] == "hello\n"
    assert f"  Runcode is running at {served.url} (Ctrl-C stops it)\n" in served.log()
    for name in ("e-mail", "password", "API key", "WebSocket key"):
        assert re.search(rf"^    {name} +\S+$", served.log(), re.MULTILINE)


def test_a_killed_supervisor_comes_back_and_it_is_said(served: Service) -> None:
    old = served.supervisor
    os.kill(old, signal.SIGKILL)

    wait_until(lambda: "The sandbox supervisor is back." in served.log(), served.log)
    assert "The sandbox supervisor was killed by SIGKILL; starting it again in 0.2 s." in served.log()
    assert served.supervisor != old
    assert _call(served, "print(6 * 7)") == "42\n"


def test_callers_wait_for_a_killed_web_process_instead_of_being_refused(served: Service) -> None:
    os.kill(served.web, signal.SIGKILL)

    # At once: nobody but the listening socket itself is there to take this call.
    assert _call(served, "print('waited')") == "waited\n"
    wait_until(lambda: "The web process is back." in served.log(), served.log)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_and_it_ends_well(number: signal.Signals) -> None:
    with running_service() as service:
        processes = _descendants(service.process.pid)
        assert len(processes) >= 3
        service.process.send_signal(number)
        assert service.process.wait(PATIENCE) == 0

        assert "Traceback" not in service.log()
        wait_until(lambda: not _living(processes), service.log)
        socket.create_server(("127.0.0.1", service.port)).close()


def test_killed_itself_it_leaves_no_process() -> None:
    with running_service() as service:
        processes = _descendants(service.process.pid)
        assert len(processes) >= 3
        service.process.kill()
        service.process.wait(PATIENCE)
        wait_until(lambda: not _living(processes), service.log)


def test_several_web_processes_share_one_port_and_each_comes_back(tmp_path: Path) -> None:
    redis = RedisServer(tmp_path)
    redis.start()
    try:
        with running_service(REDIS_URL=redis.url, RUNCODE_WEB_WORKERS="2") as service:
            first = service.web
            os.kill(first, signal.SIGKILL)
            wait_until(lambda: re.search(r"The web process \d is back\.", service.log()) is not None, service.log)
            assert [_call(service, f"print({number})") for number in range(4)] == ["0\n", "1\n", "2\n", "3\n"]
            assert first not in _descendants(service.process.pid)
    finally:
        redis.stop()


def test_several_web_processes_need_redis(tmp_path: Path) -> None:
    assert "set REDIS_URL" in _fails(tmp_path, RUNCODE_WEB_WORKERS="2")


def test_a_taken_port_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = _fails(tmp_path, PORT=str(port))

    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use." in said
    assert f"PORT={port + 1}" in said


def test_a_port_that_is_no_port_is_refused(tmp_path: Path) -> None:
    assert "PORT is 99999" in _fails(tmp_path, PORT="99999", RUNCODE_PUBLIC_URL="http://localhost")


def test_a_supervisor_that_cannot_start_ends_the_service_with_its_reason(tmp_path: Path) -> None:
    """Started from elsewhere: the children find their modules all the same."""
    taken = claim(tmp_path)
    try:
        said = _fails(tmp_path, cwd=tmp_path, PORT=str(free_port()))
    finally:
        os.close(taken)

    assert f"Another supervisor serves {tmp_path} already." in said
    assert "The sandbox supervisor ended with exit code 1 before it was ready." in said


def test_the_web_alone_uses_a_supervisor_that_is_a_service_of_its_own() -> None:
    with supervisors.running() as supervisor:
        (supervisor.home / "toolchains").symlink_to((settings.RUNCODE_HOME / "toolchains").resolve())
        web = Service(supervisor.home, {}, arguments=["--web-only"])
        try:
            web.start()
            assert _call(web, "print(6 * 7)") == "42\n"
        finally:
            web.stop()
        assert supervisor.process.poll() is None


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
