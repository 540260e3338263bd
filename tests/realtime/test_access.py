"""Who may connect to /ws/run/, how many at once, and for how long."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.key_lifecycle import change_websocket_key, create_websocket_key, revoke_websocket_key
from accounts.models import WebSocketKey
from billing.plans import FREE
from execution.history import history_service
from execution.models import Run
from execution.realtime import open_now, socket
from tests.cast import Cast, Person
from tests.realtime.clients import Client, in_process
from tests.sandbox.supervisors import RunningSupervisor


async def make_key(person: Person, **restrictions: Any) -> WebSocketKey:
    make = sync_to_async(create_websocket_key)
    return await make(organisation=person.organisation, created_by=person.user, name="Mine", **restrictions)


async def is_ready(client: Client) -> bool:
    return (await client.next())["type"] == "ready"


async def test_the_key_may_come_in_the_first_frame(web: Cast):
    async with in_process(web.alice.websocket_key) as client:
        ready = await client.next()
    assert ready == {"type": "ready", "connection": ready["connection"]}
    assert len(ready["connection"]) == 32


@pytest.mark.parametrize("header", ["Authorization: {}", "Authorization: Bearer {}", "X-API-Key: {}"])
async def test_the_key_may_come_in_a_header_of_the_upgrade(web: Cast, header: str):
    name, _, value = header.format(web.alice.websocket_key).partition(": ")
    async with in_process(headers={name: value}) as client:
        assert await is_ready(client)


@pytest.mark.parametrize(
    ("key", "refusal"),
    [
        (lambda cast: "wk_nobodys", ("key_unknown", 4401)),
        (lambda cast: cast.alice.api_key, ("wrong_key_kind", 4403)),
        (lambda cast: "x" * 2000, ("invalid", 4400)),
    ],
)
async def test_another_key_is_refused_in_words_and_then_closed(
    web: Cast, key: Callable[[Cast], str], refusal: tuple[str, int]
):
    async with in_process(key(web)) as client:
        assert await client.refusal() == refusal


@pytest.mark.parametrize("frame", ['{"type": "run", "compiler": "python-3.14", "code": ""}', "{}", "nonsense", b"\0"])
async def test_nothing_is_heard_before_the_key(web: Cast, frame: str | bytes):
    async with in_process() as client:
        await client.wire.send(frame)
        assert await client.refusal() == ("key_missing", 4401)


async def test_who_says_nothing_is_not_waited_for(web: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(socket, "AUTH_SECONDS", 0.05)
    async with in_process() as client:
        assert await client.refusal() == ("key_missing", 4401)


async def test_a_key_of_certain_origins_is_refused_elsewhere(web: Cast):
    key = await make_key(web.alice, origins=["https://example.com"])
    async with in_process(key.value, headers={"Origin": "https://example.com"}) as client:
        assert await is_ready(client)
    async with in_process(key.value, headers={"Origin": "https://evil.example"}) as client:
        assert await client.refusal() == ("foreign_origin", 4403)
    async with in_process(key.value) as client:
        assert await client.refusal() == ("foreign_origin", 4403)


async def test_a_key_of_certain_networks_is_refused_elsewhere(web: Cast):
    key = await make_key(web.alice, networks=["192.0.2.0/24"])
    async with in_process(key.value, address="192.0.2.7") as client:
        assert await is_ready(client)
    async with in_process(key.value, address="198.51.100.1") as client:
        assert await client.refusal() == ("foreign_address", 4403)


async def test_a_revoked_key_closes_its_connections_and_no_others(web: Cast):
    async with (
        in_process(web.alice.websocket_key) as hers,
        in_process(web.bob.websocket_key) as teams,
        in_process(web.charlie.websocket_key) as strangers,
    ):
        for client in (hers, teams, strangers):
            assert await is_ready(client)
        await sync_to_async(revoke_websocket_key)(key=web.alice.websocket_key_row)
        assert await hers.refusal() == ("key_revoked", 4401)
        for client in (teams, strangers):
            await client.send("ping")
            assert (await client.next())["type"] == "pong"
    async with in_process(web.alice.websocket_key) as client:
        assert await client.refusal() == ("key_revoked", 4401)


async def test_a_key_that_expires_closes_its_connections(web: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(open_now, "EVERY_SECONDS", 0.05)
    key = await make_key(web.alice, expires_at=timezone.now() + timedelta(seconds=1))
    async with in_process(key.value) as client:
        assert await is_ready(client)
        assert await client.refusal() == ("key_expired", 4401)


async def test_an_origin_that_is_taken_from_a_key_closes_its_connections(web: Cast):
    key = await make_key(web.alice)
    async with in_process(key.value, headers={"Origin": "https://example.com"}) as client:
        assert await is_ready(client)
        await sync_to_async(change_websocket_key)(key=key, name="Mine", origins=["https://other.example"])
        assert await client.refusal() == ("foreign_origin", 4403)


async def test_a_program_whose_key_is_revoked_is_killed(web: Cast, sandbox: RunningSupervisor):
    async with in_process(web.alice.websocket_key) as client:
        await client.run("import time\nprint('on', flush=True, end='')\ntime.sleep(25)")
        assert await is_ready(client)
        await client.seen("on")
        await sync_to_async(revoke_websocket_key)(key=web.alice.websocket_key_row)
        assert await client.refusal() == ("key_revoked", 4401)
    assert open_now.count() == 0


async def test_more_connections_than_the_plan_has_are_refused_until_one_is_closed(web: Cast):
    async with AsyncExitStack() as seats:
        first = AsyncExitStack()
        for number in range(FREE.concurrent_connections):
            stack = seats if number else first
            assert await is_ready(await stack.enter_async_context(in_process(web.alice.websocket_key)))
        # Bob's seats are those of the same organisation, Charlie's are not.
        async with in_process(web.bob.websocket_key) as client:
            assert await client.refusal() == ("concurrency_limit", 4429)
        async with in_process(web.charlie.websocket_key) as client:
            assert await is_ready(client)
        await first.aclose()
        async with in_process(web.bob.websocket_key) as client:
            assert await is_ready(client)


async def test_runs_are_in_the_history_under_the_surface_they_came_over(web: Cast, sandbox: RunningSupervisor):
    async with history_service():
        for hello in ({}, {"client": "widget"}):
            async with in_process() as client:
                await client.send("auth", key=web.alice.websocket_key, **hello)
                await client.run("print(1)")
                assert (await client.end())["output"] == "1\n"
    surfaces = Run.objects.filter(organisation=web.alice.organisation).order_by("id").values_list("surface", flat=True)
    assert [surface async for surface in surfaces] == ["websocket", "widget"]
    assert not await Run.objects.filter(organisation=web.charlie.organisation).aexists()


async def test_a_stranger_cannot_reach_a_run_by_its_name(web: Cast, sandbox: RunningSupervisor):
    async with in_process(web.alice.websocket_key) as hers, in_process(web.charlie.websocket_key) as strangers:
        await hers.run("print(input('on'))", id="one", interactive=True)
        await hers.until("output")
        assert await is_ready(strangers)
        for kind in ("input", "input_end"):
            await strangers.send(kind, id="one", data="leak\n")
            assert (await strangers.next())["code"] == "not_running"
        await strangers.send("stop", id="one")
        assert (await strangers.next()) == {"type": "stopped", "id": None}
        await hers.send("input", data="mine\n")
        assert (await hers.end())["output"] == "onmine\n"
        await strangers.send("ping")
        assert (await strangers.next())["type"] == "pong"


async def test_a_program_that_was_stopped_is_in_the_history_as_cancelled(web: Cast, sandbox: RunningSupervisor):
    async with history_service(), in_process(web.alice.websocket_key) as client:
        assert await is_ready(client)
        await client.run("import time\nprint('on', flush=True)\ntime.sleep(25)")
        await client.until("output")
        await client.send("stop")
        assert (await client.end())["type"] == "stopped"
    run = await Run.objects.aget(organisation=web.alice.organisation)
    assert (run.status, run.outcome, run.surface) == ("cancelled", "", "websocket")
    assert run.request is not None
    assert run.finished_at is not None
