"""Contexts: kernels that remember, in sandboxes that stay, against a real supervisor."""

import asyncio
import time

import pytest

from execution.sandbox.cells import Cell, CellOutcome
from execution.sandbox.client import SandboxClient
from execution.sandbox.context_client import ContextClient
from execution.sandbox.errors import ContextBusy, ContextsFull, ContextUnknown
from execution.sandbox.job import Limits
from tests.sandbox import supervisors
from tests.sandbox.opened import (
    ALICE,
    CHARLIE,
    Context,
    leave_child,
    open_context,
    until_gone,
)


async def test_cells_run_one_after_the_other_in_the_order_of_their_coming(context: Context) -> None:
    await context.run("import time; order = []")
    await asyncio.gather(*(context.run(f"time.sleep(0.02); order.append({n})") for n in range(8)))
    assert await context.value("order") == "[0, 1, 2, 3, 4, 5, 6, 7]"


async def test_a_queue_that_is_full_refuses_more(context: Context) -> None:
    running = [asyncio.create_task(context.run("import time; time.sleep(1)")) for _ in range(17)]
    await asyncio.sleep(0.3)
    with pytest.raises(ContextBusy, match="wait for this context"):
        await context.run("1")
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    while (await context.client.info(scope=ALICE, context_id=context.id)).waiting:
        await asyncio.sleep(0.01)
    assert await context.value("1") == "1"


async def test_an_interrupt_ends_the_cell_and_keeps_the_state(context: Context) -> None:
    await context.run("x = 'kept'")
    run = asyncio.create_task(context.run("while True: pass"))
    while (await context.client.info(scope=ALICE, context_id=context.id)).state != "busy":
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    await context.client.interrupt(scope=ALICE, context_id=context.id)
    assert (await run).outcome is CellOutcome.INTERRUPTED
    assert await context.value("x") == "'kept'"


async def test_who_goes_away_interrupts_the_cell(context: Context) -> None:
    await context.run("x = 'kept'")
    run = asyncio.create_task(context.run("while True: pass"))
    await asyncio.sleep(0.3)
    run.cancel()
    assert await context.value("x") == "'kept'"


async def test_a_stranger_finds_none_of_it(contexts: ContextClient, context: Context) -> None:
    assert await contexts.listed(scope=CHARLIE) == []
    for ask in (contexts.info, contexts.interrupt, contexts.restart, contexts.close):
        with pytest.raises(ContextUnknown):
            await ask(scope=CHARLIE, context_id=context.id)
    with pytest.raises(ContextUnknown):
        await contexts.execute(scope=CHARLIE, context_id=context.id, cell=Cell("1"))
    assert await context.value("1") == "1"


async def test_a_customer_has_so_many_and_no_more(contexts: ContextClient) -> None:
    first = await open_context(contexts, most=2)
    await open_context(contexts, most=2)
    with pytest.raises(ContextsFull, match="All 2 contexts"):
        await open_context(contexts, most=2)
    await contexts.close(scope=ALICE, context_id=first.id)
    await open_context(contexts, most=2)


async def test_other_terms_close_the_longest_unused_and_keep_the_rest(contexts: ContextClient) -> None:
    opened = [await open_context(contexts) for _ in range(4)]
    busy = asyncio.create_task(opened[0].run("import time; time.sleep(60)"))
    while (await contexts.info(scope=ALICE, context_id=opened[0].id)).state != "busy":
        await asyncio.sleep(0.01)
    await opened[1].run("x = 'kept'")
    left = await contexts.fit(scope=ALICE, limits=Limits(), idle_seconds=60, most=2)
    assert {info.id for info in left} == {opened[0].id, opened[1].id}
    assert all(info.expires_at - info.used_at == pytest.approx(60) for info in left)
    with pytest.raises(ContextUnknown):
        await opened[3].run("1")
    assert await opened[1].value("x") == "'kept'"
    assert await contexts.fit(scope=CHARLIE, limits=Limits(), idle_seconds=1, most=0) == []
    assert await contexts.fit(scope=ALICE, limits=Limits(), idle_seconds=60, most=0) == []
    with pytest.raises(ContextUnknown):
        await contexts.info(scope=ALICE, context_id=opened[0].id)
    busy.cancel()


async def test_twenty_at_once_answer_right_each_with_its_own_state(contexts: ContextClient) -> None:
    opened = [await open_context(contexts) for _ in range(20)]
    await asyncio.gather(*(each.run(f"x = {number}") for number, each in enumerate(opened)))
    for _ in range(3):
        await asyncio.gather(*(each.run("x += 100") for each in opened))
    values = await asyncio.gather(*(each.value("x") for each in opened))
    assert values == [str(number + 300) for number in range(20)]


async def test_a_context_that_nobody_uses_is_closed(contexts: ContextClient) -> None:
    context = await open_context(contexts, idle_seconds=0.5)
    deadline = time.monotonic() + 20
    while await contexts.listed(scope=ALICE):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    with pytest.raises(ContextUnknown):
        await context.run("1")


async def test_contexts_outlive_their_client_and_end_with_their_supervisor() -> None:
    with supervisors.running() as supervisor:
        client = SandboxClient(supervisor.socket)
        context = await open_context(ContextClient(client))
        await context.run("x = 1")
        await client.aclose()
        client = SandboxClient(supervisor.socket)
        assert await Context(ContextClient(client), context.id).value("x") == "1"
        supervisor.kill()
        again = supervisors.start(supervisor.home)
        try:
            with pytest.raises(ContextUnknown):
                await Context(ContextClient(client), context.id).run("x")
            assert await ContextClient(client).listed(scope=ALICE) == []
            await client.aclose()
        finally:
            again.process.terminate()
            again.process.wait(30)


async def test_closing_leaves_nothing(contexts: ContextClient) -> None:
    context = await open_context(contexts)
    child = await leave_child(context)
    await contexts.close(scope=ALICE, context_id=context.id)
    await until_gone(child)
