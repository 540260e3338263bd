"""The files of a context's work dir, seen from outside: while cells run, and whatever a program puts in the way."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from execution.sandbox.client import SandboxClient
from execution.sandbox.context_client import ContextClient
from execution.sandbox.context_files import MOST_FILE_BYTES, FileList
from execution.sandbox.errors import ContextEnded, ContextFileRefused, ContextFileUnknown, ContextUnknown
from execution.sandbox.job import MIB
from tests.sandbox.opened import ALICE, CHARLIE, Context, open_context
from tests.sandbox.supervisors import RunningSupervisor, memory_of


class Work(Context):
    """A context and its files."""

    async def listed(self) -> FileList:
        return await self.client.files(scope=ALICE, context_id=self.id)

    async def paths(self) -> list[str]:
        return [file.path for file in await self.listed()]

    async def read(self, path: str) -> bytes:
        return await self.client.read_file(scope=ALICE, context_id=self.id, path=path)

    async def write(self, path: str, data: bytes) -> None:
        await self.client.write_file(scope=ALICE, context_id=self.id, path=path, data=data)

    async def remove(self, path: str) -> None:
        await self.client.remove_file(scope=ALICE, context_id=self.id, path=path)


@pytest.fixture
async def work(kernel_client: SandboxClient) -> AsyncIterator[Work]:
    contexts = ContextClient(kernel_client)
    context = await open_context(contexts)
    yield Work(contexts, context.id)
    await contexts.close(scope=ALICE, context_id=context.id)


async def test_files_are_written_listed_read_and_removed(work: Work) -> None:
    before = time.time()
    await work.write("data/table.csv", b"a,b\n1,2\n")
    await work.write("note", b"")
    table, note = await work.listed()
    assert (table.path, table.size, note.path, note.size) == ("data/table.csv", 8, "note", 0)
    assert before - 5 < table.modified_at < time.time() + 5
    assert await work.read("data/table.csv") == b"a,b\n1,2\n"
    assert await work.value("open('data/table.csv').read()") == "'a,b\\n1,2\\n'"
    await work.remove("data/table.csv")
    assert await work.paths() == ["note"]
    with pytest.raises(ContextFileUnknown):
        await work.read("data/table.csv")
    with pytest.raises(ContextFileUnknown):
        await work.remove("data/table.csv")


async def test_they_belong_to_the_sandboxs_user_and_cells_change_them(work: Work) -> None:
    await work.write("folder/note", b"1")
    assert await work.value("import os; os.stat('folder/note').st_uid == os.stat('folder').st_uid == os.getuid()") == (
        "True"
    )
    await work.run("open('folder/note', 'a').write('2')")
    assert await work.read("folder/note") == b"12"


async def test_what_has_the_name_is_replaced_at_once_and_as_a_whole(work: Work) -> None:
    await work.write("note", b"old")
    await work.run("reader = open('note')")
    await work.write("note", b"new")
    assert await work.value("reader.read(), open('note').read()") == "('old', 'new')"


async def test_they_are_reached_while_a_cell_runs(work: Work) -> None:
    code = """import os, time
open('begun', 'w').write('yes')
while not os.path.exists('go'): time.sleep(0.01)
open('go').read()"""
    running = asyncio.create_task(work.run(code))
    while "begun" not in await work.paths():
        await asyncio.sleep(0.02)
    assert await work.read("begun") == b"yes"
    await work.write("go", b"seen")
    (item,) = (await running).items
    assert item.data["text/plain"] == "'seen'"


async def test_a_cell_that_takes_all_processors_does_not_keep_them_away(work: Work) -> None:
    running = asyncio.create_task(work.run("while True: pass", seconds=60))
    await work.write("large", bytes(4 * MIB))
    assert len(await work.read("large")) == 4 * MIB
    running.cancel()


async def test_any_bytes_come_back_as_they_were_up_to_the_limit(work: Work) -> None:
    data = bytes(range(256)) * (MOST_FILE_BYTES // 256)
    await work.write("bytes", data)
    assert await work.read("bytes") == data
    with pytest.raises(ContextFileRefused, match="at most 16 MB"):
        await work.write("more", data + b"x")
    await work.run("open('bytes', 'ab').write(b'x')")
    with pytest.raises(ContextFileRefused, match="larger than 16 MB"):
        await work.read("bytes")


async def test_a_work_dir_that_is_full_refuses_more_and_keeps_what_it_had(work: Work) -> None:
    await work.write("first", b"kept")
    number = 0

    async def fill() -> None:
        nonlocal number
        while True:
            await work.write(f"{number}", bytes(MOST_FILE_BYTES))
            number += 1

    with pytest.raises(ContextFileRefused, match="no room"):
        await fill()
    assert 4 <= number < 10
    assert await work.read("first") == b"kept"
    await work.remove("0")
    await work.write("again", b"room")
    assert {file.size for file in await work.listed()} == {4, MOST_FILE_BYTES}


async def test_many_at_once_are_all_answered(work: Work) -> None:
    await asyncio.gather(*(work.write(f"{n}", f"{n}".encode()) for n in range(4)))
    assert await asyncio.gather(*(work.read(f"{n}") for n in range(4))) == [b"0", b"1", b"2", b"3"]


async def test_who_goes_away_in_the_middle_leaves_the_files_in_order(work: Work) -> None:
    await work.write("large", b"x" * MOST_FILE_BYTES)
    await work.write("small", b"small")
    for delay in (0.0, 0.002, 0.01):
        reading = asyncio.create_task(work.read("large"))
        await asyncio.sleep(delay)
        reading.cancel()
        assert await work.read("small") == b"small"


@pytest.mark.parametrize(
    "path", ["../etc/passwd", "/etc/passwd", "a/../../x", "", ".", "a//b", "a\0b", "a/", "x" * 5000]
)
async def test_no_path_leads_out(work: Work, path: str) -> None:
    for ask in (work.read(path), work.write(path, b"x"), work.remove(path)):
        with pytest.raises(ContextFileRefused, match="no path inside"):
            await ask
    assert await work.paths() == []


async def test_a_stranger_finds_none_of_them(work: Work) -> None:
    await work.write("secret", b"s")
    client = work.client
    for ask in (
        client.files(scope=CHARLIE, context_id=work.id),
        client.read_file(scope=CHARLIE, context_id=work.id, path="secret"),
        client.write_file(scope=CHARLIE, context_id=work.id, path="secret", data=b"x"),
        client.remove_file(scope=CHARLIE, context_id=work.id, path="secret"),
    ):
        with pytest.raises(ContextUnknown):
            await ask
    assert await work.read("secret") == b"s"


async def test_a_context_that_has_ended_says_so_or_still_has_them(work: Work) -> None:
    await work.write("note", b"kept")
    await work.run("import os; os._exit(1)")
    assert await work.read("note") == b"kept"
    await work.client.restart(scope=ALICE, context_id=work.id)
    assert await work.paths() == []
    await work.run("x = []\nwhile True: x.append(bytearray(10**7))")
    # Whether init outlives it depends on the host's version of control groups.
    with contextlib.suppress(ContextEnded):
        assert await work.paths() == []


# --- what a program puts in the way ---


async def test_no_link_is_followed(work: Work) -> None:
    await work.run(
        "import os\nos.symlink('/etc/passwd', 'file')\nos.symlink('/etc', 'folder')\nos.symlink('/proc/1', 'init')\n"
        "os.symlink('/proc/self/fd', 'descriptors')\nos.symlink('.', 'here')"
    )
    for path in ("file", "folder/passwd", "init/environ", "descriptors/3", "here/file"):
        with pytest.raises(ContextFileRefused, match=r"link|no folder"):
            await work.read(path)
    for path in ("folder/x", "init/x", "descriptors/3", "here/x"):
        with pytest.raises(ContextFileRefused, match=r"link|no folder"):
            await work.write(path, b"x")
    assert await work.paths() == []
    await work.write("file", b"a file now")
    assert await work.value("os.path.islink('file'), open('file').read()") == "(False, 'a file now')"
    await work.remove("here")
    assert await work.value("os.path.lexists('here'), os.path.exists('folder')") == "(False, True)"


async def test_only_regular_files_are_read_and_nothing_blocks(work: Work) -> None:
    await work.run(
        "import os, socket\nos.mkfifo('fifo')\ns = socket.socket(socket.AF_UNIX); s.bind('socket')\nos.mkdir('folder')"
    )
    for path in ("fifo", "socket", "folder"):
        with pytest.raises(ContextFileRefused, match="regular"):
            await work.read(path)
    assert await work.paths() == []
    for path in ("folder/fifo/x", "fifo/x"):
        with pytest.raises((ContextFileRefused, ContextFileUnknown)):
            await work.read(path)
    with pytest.raises(ContextFileRefused):
        await work.write("folder", b"x")
    with pytest.raises(ContextFileRefused):
        await work.remove("folder")
    await work.write("fifo", b"a file now")
    assert await work.read("fifo") == b"a file now"


async def test_a_lease_does_not_hold_anybody_up(work: Work) -> None:
    code = """import fcntl
open('f', 'w').write('x')
f = open('f', 'r+')
fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)"""
    assert (await work.run(code)).error is None
    with pytest.raises(ContextFileRefused, match="holds the file"):
        await work.read("f")
    await work.write("f", b"new")
    assert await work.read("f") == b"new"


async def test_a_file_that_grows_and_shrinks_while_it_is_read_ends(work: Work) -> None:
    code = """import os
f = os.open('f', os.O_RDWR | os.O_CREAT)
while True:
    os.pwrite(f, b'y' * 2**20, 0)
    for n in range(1, 8): os.pwrite(f, b'y' * 2**20, n * 2**20)
    os.ftruncate(f, 0)"""
    running = asyncio.create_task(work.run(code, seconds=60))
    while "f" not in await work.paths():
        await asyncio.sleep(0.02)
    for _ in range(30):
        assert len(await work.read("f")) <= 8 * MIB
    running.cancel()


async def test_an_endless_file_is_not_read(work: Work, kernel_supervisor: RunningSupervisor) -> None:
    await work.run("f = open('sparse', 'wb'); f.truncate(120 * 2**20); f.close()")
    before = memory_of(kernel_supervisor.pid)
    with pytest.raises(ContextFileRefused, match="larger than 16 MB"):
        await work.read("sparse")
    assert memory_of(kernel_supervisor.pid) - before < 8 * MIB


async def test_folders_swapped_for_links_in_the_middle_lead_nowhere(work: Work) -> None:
    code = """import os
os.mkdir('real'); open('real/hostname', 'w').write('mine'); os.symlink('/etc', 'link')
os.rename('real', 'folder')
while True:
    os.rename('folder', 'real'); os.rename('link', 'folder')
    os.rename('folder', 'link'); os.rename('real', 'folder')"""
    running = asyncio.create_task(work.run(code, seconds=60))
    mine = reads = 0
    while reads < 200 or not mine:
        reads += 1
        try:
            assert await work.read("folder/hostname") == b"mine"
            mine += 1
        except (ContextFileRefused, ContextFileUnknown):
            pass
    running.cancel()


async def test_names_of_any_bytes_are_listed_with_replacements(work: Work) -> None:
    await work.run(r"open(b'\xff\n\x01', 'w'); open('ünï', 'w').write('x')")
    assert await work.paths() == ["ünï", "�\n\x01"]
    assert await work.read("ünï") == b"x"


async def test_long_names_of_any_bytes_are_listed_as_far_as_they_may_be_held(work: Work) -> None:
    code = r"""import os
folder = b'/'.join(b'\xff' * 250 for _ in range(12)) + b'/'
os.makedirs(folder)
for n in range(9000): os.close(os.open(folder + b'%0250d' % n, os.O_CREAT))"""
    assert (await work.run(code, seconds=60)).error is None
    listed = await work.listed()
    assert (0 < len(listed) < 1000, listed.complete) == (True, False)
    assert sum(len(file.path.encode()) for file in listed) < 8 * MIB


async def test_deep_trees_and_a_hundred_thousand_files_are_listed_in_part_which_is_said(work: Work) -> None:
    await work.run("import os\nopen('top', 'w')\nos.makedirs('/'.join('d' * 16)); open('/'.join('d' * 16) + '/f', 'w')")
    listed = await work.listed()
    assert ([file.path for file in listed], listed.complete) == (["top"], False)
    deep = """while len(os.getcwd()) < 3500:
    os.mkdir('d' * 200); os.chdir('d' * 200)
os.chdir('/work')"""
    assert (await work.run(deep)).error is None
    await work.run("os.mkdir('many')\nfor n in range(100_000): os.close(os.open(f'many/{n}', os.O_CREAT))", seconds=60)
    began = time.monotonic()
    listed = await work.listed()
    assert len(listed) <= 10_000
    assert not listed.complete
    assert time.monotonic() - began < 10
    assert await work.value("1") == "1"
