"""Seen from the host while hostile programs run: no program of its own is started, its disk, its log and its network
stay quiet."""

import asyncio
import itertools
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from execution.sandbox.client import SandboxClient
from execution.sandbox.job import Job, Limits, Outcome, Result
from execution.sandbox.native.slots import FIRST_UID
from tests.abuse.rows import PROGRAMS, ROWS
from tests.abuse.verdicts import every_attempt_refused

CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")
# Programs of the table ask for 4,000 flushes; on a busy host others ask for some in the meantime.
FLUSHES_OF_OTHERS = 2000
# The kernel lets ten such lines through in five seconds.
LOG_LINES = 40


async def run(client: SandboxClient, program: str, *args: str) -> Result:
    code = (PROGRAMS / program).read_bytes()
    return await client.run(Job("python-3.14", {"main.py": code}, "main.py", args=args, limits=Limits(wall_seconds=20)))


@contextmanager
def core_dump_program(folder: Path) -> Iterator[Path]:
    """A host whose core dumps go to a program; yields the file in which that notes whose they were."""
    noted, program, previous = folder / "noted", folder / "program", CORE_PATTERN.read_text(encoding="utf-8")
    noted.touch()
    program.write_text(f"#!/bin/sh\ncat > /dev/null\necho $1 >> {noted}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    CORE_PATTERN.write_text(f"|{program} %u", encoding="utf-8")
    try:
        yield noted
    finally:
        CORE_PATTERN.write_text(previous, encoding="utf-8")


async def test_no_core_dump_program_is_started(client: SandboxClient, tmp_path: Path) -> None:
    crashing = [row.job() for row in ROWS if row.program in ("dumps_core.py", "crashes.c")]
    with core_dump_program(tmp_path) as noted:
        results = await asyncio.gather(*(client.run(job) for job in crashing))
        # A limit of 0, which keeps core files from being written, does not keep such a program from being started.
        crash = "import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.abort()"
        await asyncio.to_thread(subprocess.run, [sys.executable, "-c", crash], check=False)
        for _ in range(100):
            if noted.read_text(encoding="utf-8"):
                break
            await asyncio.sleep(0.05)
    users = [int(line) for line in noted.read_text(encoding="utf-8").split()]
    assert 0 in users
    assert [user for user in users if user >= FIRST_UID] == []
    assert {result.outcome for result in results} == {Outcome.SUCCESS, Outcome.RUNTIME_ERROR}


def flushes() -> int:
    """How often the host's disks were told to flush (Documentation/admin-guide/iostats.rst)."""
    lines = [line.split() for line in Path("/proc/diskstats").read_text(encoding="ascii").splitlines()]
    return sum(int(fields[18]) for fields in lines if len(fields) > 18)


async def test_the_disk_is_not_kept_busy(client: SandboxClient) -> None:
    before = flushes()
    every_attempt_refused(await run(client, "keeps_the_disk_busy.py"))
    assert flushes() - before < FLUSHES_OF_OTHERS


def kernel_log() -> list[str]:
    lines: list[str] = []
    descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    try:
        while True:
            with suppress(BrokenPipeError):  # lines were overwritten before they could be read
                lines.append(os.read(descriptor, 8192).decode(errors="replace"))
    except BlockingIOError:
        return lines
    finally:
        os.close(descriptor)


async def test_the_kernel_log_is_not_flooded(client: SandboxClient) -> None:
    try:
        before = len(kernel_log())
    except OSError as error:
        pytest.skip(f"the kernel's log cannot be read here ({error})")
    for program in ("crashes.c", "changes_the_host.py", "uses_kernel_interfaces.py", "pages_into_pipes.py"):
        await asyncio.gather(*(client.run(row.job()) for row in ROWS if row.program == program))
    # Out-of-memory reports are the kernel's, and only tests that run beside this one cause them.
    new = [line for line in kernel_log()[before:] if "program" in line or "python3" in line]
    assert len([line for line in new if "oom" not in line.lower() and "memory" not in line.lower()]) < LOG_LINES


def own_addresses() -> list[str]:
    """The host's IPv4 addresses, and those of IPv6 that are up."""
    table = Path("/proc/net/fib_trie").read_text(encoding="ascii").splitlines()
    found = {line.split()[1] for line, kind in itertools.pairwise(table) if "host LOCAL" in kind}
    six = Path("/proc/net/if_inet6")
    if six.exists():
        found |= {
            socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0]))
            for line in six.read_text(encoding="ascii").splitlines()
        }
    return sorted(found)


async def test_nobody_on_the_host_hears_of_a_program(client: SandboxClient) -> None:
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.socket(socket.AF_INET6))
        udp = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        tcp.bind(("::", 0))
        port = tcp.getsockname()[1]
        udp.bind(("::", port))
        abstract.bind(f"\0runcode-test-{port}")
        for listening in (tcp, abstract):
            listening.listen()
        addresses = own_addresses()
        assert "127.0.0.1" in addresses
        every_attempt_refused(await run(client, "reaches_the_host.py", *addresses, str(port)))
        for heard, ask in ((tcp, tcp.accept), (abstract, abstract.accept), (udp, lambda: udp.recv(1))):
            heard.setblocking(False)
            with pytest.raises(BlockingIOError):
                ask()
