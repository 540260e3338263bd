"""Every hostile cell of `context_rows`, against the real driver, and after each: a context beside it was not disturbed,
the context itself takes cells or says that it has ended, another one finds nothing of it, and nothing is left on the
host once it is closed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from execution.sandbox.cells import Cell, CellOutcome, CellResult
from execution.sandbox.client import SandboxClient
from execution.sandbox.context_client import ContextClient
from execution.sandbox.errors import ContextEnded, ContextUnknown
from execution.sandbox.job import Limits
from tests.abuse.context_rows import CONTEXT_ROWS, ContextRow
from tests.abuse.drivers import HOSTS_OF_LONG_TESTS
from tests.abuse.hosts import Host

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.parametrize("host", HOSTS_OF_LONG_TESTS, indirect=True),
]
ALICE, CHARLIE = "1", "2"
DRAWERS = 12
NEIGHBOUR = "import time\nfor n in range(12): time.sleep(0.05); print(n)\nkept, sum(range(10**5))"
NEIGHBOUR_PRINTS = b"".join(b"%d\n" % n for n in range(12))
# Everything that another sandbox could have left, as a context sees it: the same before and after.
LOOKS = """
import glob, os, socket
print([sorted(glob.glob(f"{folder}/*")) for folder in ("/work", "/tmp", "/var/tmp", "/dev/shm")])
print(sorted(glob.glob("/build/**", recursive=True)), len(glob.glob("/proc/[0-9]*")))
for table in ("sysvipc/shm", "sysvipc/msg", "sysvipc/sem", "net/unix", "net/tcp", "net/tcp6", "net/udp", "net/raw"):
    print(table, len(open(f"/proc/{table}").readlines()))
print([line for line in open("/proc/net/snmp") if line.startswith(("Tcp:", "Udp:"))])
print(os.path.exists("/proc/keys") and open("/proc/keys").read(), sorted(os.environ))
with socket.socket(socket.AF_UNIX) as abstract: print(abstract.connect_ex("\\0left"))
"""
DRAWS = {
    "python": "import os, random, ssl, tempfile, uuid, numpy\n"
    "print(os.urandom(8).hex(), random.random(), hash('a'), uuid.uuid4(), uuid.uuid1(), ssl.RAND_bytes(8).hex(), "
    "numpy.random.rand(), numpy.random.default_rng().random(), tempfile.mktemp(), id(object()))",
    "typescript": "console.log(Math.random(), crypto.randomUUID(), require('crypto').randomBytes(8).toString('hex'), "
    "require('fs').mkdtempSync('/tmp/x'))",
}


@dataclass(frozen=True)
class Context:
    client: ContextClient
    id: str
    scope: str = ALICE

    async def run(self, code: str, *, seconds: float = 30.0) -> CellResult:
        return await self.client.execute(scope=self.scope, context_id=self.id, cell=Cell(code, seconds=seconds))

    async def close(self) -> None:
        await self.client.close(scope=self.scope, context_id=self.id)


async def open_context(client: SandboxClient, kernel: str = "python", scope: str = ALICE) -> Context:
    contexts = ContextClient(client)
    info = await contexts.open(scope=scope, kernel=kernel, limits=Limits(), idle_seconds=600, most=200)
    return Context(contexts, info.id, scope)


@pytest.fixture
async def neighbour(client: SandboxClient) -> Context:
    context = await open_context(client, scope=CHARLIE)
    await context.run("kept = 'kept'")
    return context


@pytest.fixture(autouse=True)
async def _none_stays_open(client: SandboxClient) -> AsyncIterator[None]:
    yield
    for scope in (ALICE, CHARLIE):
        for info in await ContextClient(client).listed(scope=scope):
            await ContextClient(client).close(scope=scope, context_id=info.id)


async def looks(client: SandboxClient) -> bytes:
    context = await open_context(client)
    result = await context.run(LOOKS)
    await context.close()
    assert result.outcome is CellOutcome.SUCCESS, result
    return result.stdout


@pytest.mark.parametrize("row", CONTEXT_ROWS, ids=str)
async def test_the_context_survives(row: ContextRow, client: SandboxClient, host: Host) -> None:
    await (await open_context(client, row.kernel)).close()
    seen = await looks(client)
    await host.settled(client)
    before = host.standing()
    neighbour = await open_context(client, scope=CHARLIE)
    await neighbour.run("kept = 'kept'")
    context = await open_context(client, row.kernel)
    *first, last = row.cells
    await context.run("kept = 'mine'" if row.kernel == "python" else "var kept = 'mine'")
    for code in first:
        assert (await context.run(code)).outcome is CellOutcome.SUCCESS

    beside = asyncio.create_task(neighbour.run(NEIGHBOUR))
    result = await context.run(last, seconds=row.seconds)

    assert result.outcome in row.outcomes, result
    if row.check is not None:
        row.check(result)
    undisturbed = await beside
    assert (undisturbed.outcome, undisturbed.stdout) == (CellOutcome.SUCCESS, NEIGHBOUR_PRINTS)
    (value,) = (item.data["text/plain"] for item in undisturbed.items)
    assert value == "('kept', 4999950000)"
    await still_there(context, row)
    assert await looks(client) == seen
    for open_one in (context, neighbour):
        await open_one.close()
    await host.settled(client)
    assert host.left(before) == []


async def still_there(context: Context, row: ContextRow) -> None:
    """It takes cells, with its state or after a restart."""
    if row.after == "usable":
        kept = await context.run("kept")
        assert [item.data["text/plain"] for item in kept.items] == ["'mine'"], kept
        return
    if row.after == "ended":
        with pytest.raises(ContextEnded):
            await context.run("kept")
    info = await context.client.restart(scope=ALICE, context_id=context.id)
    assert (info.state, info.count) == ("idle", 0)
    assert (await context.run("kept")).outcome is CellOutcome.ERROR


async def test_who_leaves_an_endless_cell_interrupts_it(client: SandboxClient, neighbour: Context) -> None:
    """Row 44."""
    context = await open_context(client)
    for kept in ("1", "2"):
        await context.run(f"kept = {kept}")
        left = asyncio.create_task(context.run("while True: pass"))
        await asyncio.sleep(0.3)
        left.cancel()
        assert [item.data["text/plain"] for item in (await context.run("kept")).items] == [kept]
    assert (await neighbour.run(NEIGHBOUR)).stdout == NEIGHBOUR_PRINTS


async def test_another_accounts_context_is_not_to_be_guessed(client: SandboxClient, neighbour: Context) -> None:
    """Row 45: neither by its very id, nor by one that is like it, is anything of it seen or changed."""
    secret = neighbour.id
    contexts = neighbour.client
    for scope, context_id in [
        (ALICE, secret),
        (CHARLIE, secret[:-1]),
        (CHARLIE, secret + "A"),
        (CHARLIE, secret.swapcase()),
        (CHARLIE, ""),
        (CHARLIE, "../" + secret),
        (CHARLIE, secret + "\0"),
        ("", secret),
        (f"{CHARLIE}\0", secret),
    ]:
        stranger = Context(contexts, context_id, scope)
        for attempt in (
            stranger.run("kept = 'stolen'"),
            stranger.close(),
            contexts.info(scope=scope, context_id=context_id),
            contexts.interrupt(scope=scope, context_id=context_id),
            contexts.restart(scope=scope, context_id=context_id),
            contexts.files(scope=scope, context_id=context_id),
            contexts.read_file(scope=scope, context_id=context_id, path="kept"),
            contexts.write_file(scope=scope, context_id=context_id, path="kept", data=b"stolen"),
            contexts.remove_file(scope=scope, context_id=context_id, path="kept"),
        ):
            with pytest.raises(ContextUnknown):
                await attempt
    assert [item.data["text/plain"] for item in (await neighbour.run("kept")).items] == ["'kept'"]


@pytest.mark.parametrize("kernel", DRAWS)
async def test_no_two_contexts_draw_alike(client: SandboxClient, kernel: str) -> None:
    """Row 50: also those that were up already, and one that was restarted."""
    opened = [await open_context(client, kernel) for _ in range(DRAWERS)]
    results = list(await asyncio.gather(*(context.run(DRAWS[kernel]) for context in opened)))
    await opened[0].client.restart(scope=ALICE, context_id=opened[0].id)
    results.append(await opened[0].run(DRAWS[kernel]))
    assert {result.outcome for result in results} == {CellOutcome.SUCCESS}, results[0]
    columns = list(zip(*(result.stdout.split() for result in results), strict=True))
    assert len(columns) >= 4
    assert [len(set(column)) for column in columns] == [DRAWERS + 1] * len(columns), results[:2]
