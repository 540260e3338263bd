"""The supervisor's own life: starting, stopping, dying, coming back."""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from execution.sandbox.client import SandboxClient
from execution.sandbox.errors import SandboxUnavailable, ToolchainMissing
from execution.sandbox.job import Job, Outcome
from execution.sandbox.native import inspection
from execution.sandbox.native.driver import MOUNT_POINTS
from tests.sandbox import supervisors
from tests.sandbox.supervisors import cgroup_directories, descendants, living


def job(code: str) -> Job:
    return Job("python-3.14", {"main.py": code.encode()}, "main.py")


async def until(condition, patience: float = 10.0) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_it_stops_cleanly_and_leaves_nothing() -> None:
    with supervisors.running() as supervisor:
        client = SandboxClient(supervisor.socket)
        task = asyncio.create_task(client.run(job("import time; time.sleep(20)")))
        await until(lambda: len(supervisor.sandboxes()) > 0)
        everything = descendants(supervisor.pid)
        supervisor.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(supervisor.process.wait, 10) == 0
        with pytest.raises(SandboxUnavailable):
            await task
        assert not any(living(everything))
        assert cgroup_directories(supervisor.home) == []
        assert not supervisor.socket.exists()


async def test_killed_in_the_middle_it_leaves_no_process_and_the_next_one_sweeps() -> None:
    with supervisors.running() as supervisor:
        client = SandboxClient(supervisor.socket)
        running = [
            asyncio.create_task(client.run(job("import time; time.sleep(1.5); print('done')"))) for _ in range(4)
        ]
        await until(lambda: sum(len(inside) > 1 for inside in supervisor.sandboxes().values()) >= 4)
        everything = descendants(supervisor.pid)
        supervisor.kill()
        await until(lambda: not any(living(everything)))
        successor = supervisors.start(supervisor.home)
        supervisor.process = successor.process
        # The clients' calls were cut off and are run again on the successor, by the client itself.
        results = await asyncio.gather(*running)
        assert {(result.outcome, result.stdout) for result in results} == {(Outcome.SUCCESS, b"done\n")}
        names = {path.name.split("-")[0] for path in cgroup_directories(supervisor.home)}
        assert names == {str(successor.pid)}
        await client.aclose()


async def test_a_second_supervisor_of_one_home_is_refused() -> None:
    with supervisors.running() as supervisor:
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "execution.sandbox", "--home", str(supervisor.home),
            cwd=supervisors.REPOSITORY, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, errors = await second.communicate()
        assert second.returncode == 1
        assert b"Another supervisor serves" in errors
        client = SandboxClient(supervisor.socket)
        assert (await client.run(job("print(1)"))).stdout == b"1\n"
        await client.aclose()


async def test_nonsense_on_the_socket_ends_that_connection_only() -> None:
    with supervisors.running() as supervisor:
        for nonsense in (b"\xff" * 100, b"\x00\x00\x00\x08\x00\x00\x00\x04nope", b"\x00\x00\x00\x06\x00\x00\x00\x02{}"):
            reader, writer = await asyncio.open_unix_connection(supervisor.socket)
            writer.write(nonsense)
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        client = SandboxClient(supervisor.socket)
        assert (await client.run(job("print(1)"))).stdout == b"1\n"
        await client.aclose()


async def test_runs_leave_no_descriptor_process_group_or_memory_behind() -> None:
    with supervisors.running() as supervisor:
        client = SandboxClient(supervisor.socket)

        async def several(count: int) -> None:
            for _ in range(count // 10):
                await asyncio.gather(*(client.run(job("print(1)")) for _ in range(10)))
            await until(lambda: supervisor.sandboxes() and len(cgroup_directories(supervisor.home)) > 0)
            await asyncio.sleep(1.0)

        # How many sandboxes are ready varies; a leak of one thing a run would show as two hundred.
        await several(60)
        before = (supervisor.descriptors(), len(cgroup_directories(supervisor.home)), len(descendants(supervisor.pid)))
        memory = supervisors.memory_of(supervisor.pid)
        await several(200)
        after = (supervisor.descriptors(), len(cgroup_directories(supervisor.home)), len(descendants(supervisor.pid)))
        assert all(later <= earlier + 60 for earlier, later in zip(before, after, strict=True))
        assert supervisors.memory_of(supervisor.pid) < memory + 4 * 1024 * 1024
        await client.aclose()


def test_the_check_says_that_this_host_can() -> None:
    with supervisors.running() as supervisor:
        home = supervisor.home / "other"
        home.mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "execution.sandbox", "--home", str(home), "--check"],
            cwd=supervisors.REPOSITORY, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        assert "can run sandboxes" in done.stdout


def test_without_root_it_refuses_with_the_remedy(tmp_path) -> None:  # type: ignore[no-untyped-def]
    tmp_path.chmod(0o777)
    preload = "import os; from pathlib import Path; from execution.sandbox.native.driver import NativeDriver\n"
    code = f"os.chdir('{tmp_path}'); os.setuid(65534); NativeDriver(home=Path('h'), toolchains=Path('t')).prepare()"
    done = subprocess.run(
        [sys.executable, "-c", preload + code], cwd=supervisors.REPOSITORY, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "start it as root" in done.stderr


async def test_without_its_launcher_it_ends_so_that_it_is_started_afresh() -> None:
    with supervisors.running() as supervisor:
        (launcher,) = inspection.children(supervisor.pid)
        everything = descendants(supervisor.pid)
        os.kill(launcher, signal.SIGKILL)
        assert await asyncio.to_thread(supervisor.process.wait, 10) == 0
        await until(lambda: not any(living(everything)))


@pytest.fixture
def own_toolchain(tmp_path: Path) -> Path:
    """A folder of toolchains with one root, in which /bin/hello is the only program."""
    program = tmp_path / "hello.c"
    program.write_text('#include <unistd.h>\nint main(void) { return write(1, "hello", 5) - 5; }')
    root = tmp_path / "roots" / "own"
    for folder in (*MOUNT_POINTS, "bin"):
        (root / folder).mkdir(parents=True)
    subprocess.run(["musl-gcc", "-static", "-o", root / "bin/hello", program], check=True)
    (tmp_path / "compilers").mkdir()
    tmp_path.chmod(0o755)
    return root


async def test_a_toolchain_installed_while_it_runs_is_found_and_warmed(tmp_path: Path, own_toolchain: Path) -> None:
    with supervisors.running(toolchains=tmp_path) as supervisor:
        client = SandboxClient(supervisor.socket)
        with pytest.raises(ToolchainMissing):
            await client.run(Job("hello-1", {"main.txt": b""}, "main.txt"))
        manifest = {
            "id": "hello-1",
            "root": str(own_toolchain),
            "file_name": "main.txt",
            "sources": [],
            "compile": None,
        }
        manifest |= {"run": ["/bin/hello"], "hot": False, "env": {}}
        (tmp_path / "compilers" / "hello-1.json").write_text(json.dumps(manifest))
        assert (await client.run(Job("hello-1", {"main.txt": b""}, "main.txt"))).stdout == b"hello"
        assert (await client.status())["compilers"] == ["hello-1"]
        await client.aclose()


def test_it_may_open_more_files_than_a_shell_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        with supervisors.running() as supervisor:
            allowed = resource.prlimit(supervisor.pid, resource.RLIMIT_NOFILE)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert allowed == (65536 if hard == resource.RLIM_INFINITY else min(hard, 65536))
