"""A live sandbox, inspected from outside and from inside: what was asked for is what is there."""

import asyncio
import os
import re
import socket
import stat
from pathlib import Path

import pytest
from django.conf import settings

from execution.catalogue import installed
from execution.sandbox.client import SandboxClient
from execution.sandbox.job import Job, Limits
from execution.sandbox.native.inspection import Inspection, inspect
from execution.sandbox.native.slots import FIRST_UID, UIDS
from tests.sandbox.supervisors import RunningSupervisor, cgroup_directories


@pytest.fixture
async def live(client: SandboxClient, supervisor: RunningSupervisor):  # type: ignore[no-untyped-def]
    """(init, program) of a program that is running now, as process ids of the host."""
    code = b"import time\nopen('/tmp/mark', 'w')\ntime.sleep(20)"
    task = asyncio.create_task(client.run(Job("python-3.14", {"main.py": code}, "main.py")))
    found = None
    while found is None:
        await asyncio.sleep(0.02)
        for inside in supervisor.sandboxes().values():
            if len(inside) == 2 and os.path.exists(f"/proc/{inside[1]}/root/tmp/mark"):  # noqa: PTH110, ASYNC240
                found = tuple(inside)
    yield found
    task.cancel()
    await asyncio.wait([task])


def value(files: list[Path], name: str) -> str:
    (file,) = [path / name for path in files if (path / name).exists()]
    return file.read_text(encoding="ascii").strip()


def groups_of(pid: int, home: Path) -> list[Path]:
    return [path for path in cgroup_directories(home) if str(pid) in (path / "cgroup.procs").read_text().split()]


async def test_the_program_and_its_init_are_closed_in(live: tuple[int, int]) -> None:
    for pid in live:
        seen: Inspection = inspect(pid)
        assert seen.faults() == []
        assert seen.shared_namespaces == ()
        assert FIRST_UID <= min(seen.uids) <= max(seen.uids) < FIRST_UID + UIDS
        assert set(seen.gids) == set(seen.uids)
        assert seen.groups == ()
        assert set(seen.capabilities.values()) == {0}
        assert (seen.seccomp, seen.no_new_privileges) == (2, True)
        assert seen.interfaces == {"lo": False}


async def test_only_the_tmpfs_mounts_can_be_written_and_each_is_capped(live: tuple[int, int]) -> None:
    mounts = inspect(live[1]).mounts
    writable = {point for point, options in mounts.items() if "rw" in options and "ro" not in options}
    assert {"/work", "/build", "/tmp", "/var/tmp", "/dev/shm"} <= writable
    assert writable - {"/work", "/build", "/tmp", "/var/tmp", "/dev/shm"} <= {
        "/proc"
    }  # fmt: skip
    for point in ("/work", "/build", "/tmp", "/var/tmp", "/dev/shm"):
        assert any(re.fullmatch(r"size=\d+k", option) for option in mounts[point]), point
    assert "size=131072k" in mounts["/work"]


async def test_limits_are_in_force_in_the_kernel(live: tuple[int, int], supervisor: RunningSupervisor) -> None:
    groups = groups_of(live[1], supervisor.home)
    limits = Limits()
    if any((path / "memory.max").exists() for path in groups):
        assert int(value(groups, "memory.max")) == limits.memory_bytes
        assert int(value(groups, "memory.swap.max")) == 0
        assert value(groups, "cpu.max") == "200000 100000"
    else:
        assert int(value(groups, "memory.limit_in_bytes")) == limits.memory_bytes
        assert int(value(groups, "memory.memsw.limit_in_bytes")) == limits.memory_bytes
        assert int(value(groups, "cpu.cfs_quota_us")) == 2 * int(value(groups, "cpu.cfs_period_us"))
    # bubblewrap's monitor and init are two more than the program's own.
    assert int(value(groups, "pids.max")) == limits.processes + 2


async def test_no_two_sandboxes_share_a_host_user(client: SandboxClient, supervisor: RunningSupervisor) -> None:
    tasks = [
        asyncio.create_task(client.run(Job("python-3.14", {"main.py": b"import time; time.sleep(1)"}, "main.py")))
        for _ in range(4)
    ]
    await asyncio.sleep(0.6)
    users = [inspect(inside[0]).uids[0] for inside in supervisor.sandboxes().values() if inside]
    await asyncio.gather(*tasks)
    assert len(users) >= 4
    assert len(users) == len(set(users))


async def test_the_hosts_secrets_are_not_in_the_environment_or_files(client: SandboxClient) -> None:
    code = b"""
import os
print(sorted(os.environ)); print(open('/proc/self/environ').read().count('='))
for path in ('/proc/1/environ', '/proc/1/maps', '/proc/1/mem', '/proc/1/fd'):
    try: print(path, os.listdir(path) if path.endswith('fd') else open(path, 'rb').read(1))
    except PermissionError: print(path, 'refused')
print(sorted(p for p in os.listdir('/proc') if p.isdigit()) == sorted({'1', str(os.getpid())}))
"""
    result = await client.run(Job("python-3.14", {"main.py": code}, "main.py"))
    lines = result.stdout.decode().splitlines()
    ours = {"HOME", "LANG", "TMPDIR", "USER", *installed(settings.RUNCODE_HOME)["python-3.14"].env}
    assert lines[0] == str(sorted(ours))
    assert lines[2:] == [f"/proc/1/{name} refused" for name in ("environ", "maps", "mem", "fd")] + ["True"]


def test_the_socket_is_its_owners_alone(supervisor: RunningSupervisor) -> None:
    status = supervisor.socket.stat()
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_uid == os.geteuid()
    pid = os.fork()
    if pid == 0:
        os.setuid(65534)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(supervisor.socket))
        except PermissionError:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_an_open_process_is_told_from_a_closed_one() -> None:
    faults = inspect(os.getpid()).faults()
    assert len(faults) >= 6
    assert "it runs as root or with supplementary groups" in faults
    assert "it holds capabilities" in faults
    assert any("shares the host's mnt" in fault for fault in faults)
