"""The toolchains' files are the same ones for every sandbox, so a hole in the kernel that lets a program write into the
page cache would reach its neighbours: after hostile programs, every file is as it was installed."""

import asyncio

import pytest
from django.conf import settings

from execution.sandbox.client import SandboxClient
from tests.abuse.drivers import HOSTS_OF_LONG_TESTS
from tests.abuse.rows import ROWS
from tests.abuse.untouched import changes

# A gigabyte is read twice, once from the disk, beside whatever else the host does.
pytestmark = pytest.mark.timeout(600)

# Those that write where they must not, or go through the kernel's back doors.
WRITERS = ("pages_into_pipes.py", "keeps_the_disk_busy.py", "gains_privileges.py", "not_files.py", "fill_disk.py")


@pytest.mark.parametrize("host", HOSTS_OF_LONG_TESTS, indirect=True)
async def test_every_file_is_as_it_was_installed(client: SandboxClient) -> None:
    await asyncio.gather(*(client.run(row.job()) for row in ROWS if row.program in WRITERS))
    assert await asyncio.to_thread(changes, settings.RUNCODE_HOME, ("python-3.14", "gcc-15")) == []
