"""/ws message by message: the handshake, refusals, limits, and what becomes of sessions that end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from channels.db import database_sync_to_async

from accounts.organisations import rotate_account_secret
from billing import subscriptions
from billing.metering import metering_service
from billing.plans import FREE, Plan
from config.lifespan import background
from execution.realtime import open_now
from execution.repl import socket
from execution.sandbox_clients import sandbox_connections
from tests.cast import Cast
from tests.realtime.clients import no_connections
from tests.repl.conftest import new_token
from tests.repl.raw import in_process, over_network
from tests.sandbox.supervisors import RunningSupervisor
from tests.server import Service

Token = Callable[..., str]

READY = {"command": "ready", "data": ""}
NOTHING = {"command": "result", "data": ""}


@pytest.fixture
async def web(cast: Cast, sandbox: RunningSupervisor) -> AsyncIterator[Cast]:
    """What a web process runs beside the application, in this one."""
    async with metering_service(), sandbox_connections(), background(open_now.keep_checking)():
        yield cast


def on(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    monkeypatch.setattr(subscriptions, "look_up", lambda _organisation_id: subscriptions.Standing(plan=plan))


# --- refusals ---


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ('{"command": "eval", "data": "1"}', 4401),
        ('{"command": "auth", "data": "nonsense"}', 4401),
        ("nonsense", 4400),
        ("[]", 4400),
        ("{}", 4400),
    ],
)
async def test_who_does_not_say_who_it_is_is_told_no_and_given_time_to_leave(
    web: Cast, monkeypatch: pytest.MonkeyPatch, first: str, code: int
) -> None:
    monkeypatch.setattr(socket, "LINGER_SECONDS", 0.5)
    async with in_process() as client:
        await client.wire.send(first)
        assert await client.next() == {"command": "auth_result", "data": "false"}
        began = asyncio.get_running_loop().time()
        assert await client.closed() == code
        assert asyncio.get_running_loop().time() - began > 0.4


async def test_an_unknown_language_is_told_to_the_choice(web: Cast) -> None:
    async with in_process() as client:
        answer = await client.enter(new_token(web.alice.organisation.secret), "cobol")
        assert answer["command"] == "error"
        assert answer["data"].startswith("“cobol” is no language here.")


async def test_another_command_than_the_choice_is_refused(web: Cast) -> None:
    async with in_process() as client:
        assert (await client.ask("auth", new_token(web.alice.organisation.secret)))["data"] == "true"
        assert (await client.ask("eval", "1"))["command"] == "error"


async def test_a_connection_too_many_is_told_to_the_choice(web: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, replace(FREE, concurrent_connections=2))
    token = new_token(web.alice.organisation.secret)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            client = await stack.enter_async_context(in_process())
            assert await client.enter(token, "c") == READY
        async with in_process() as third:
            answer = await third.enter(token, "c")
            assert answer["command"] == "error"
            assert answer["data"].startswith("All 2 WebSocket connections of the Free plan are open.")
        async with in_process() as stranger:
            assert await stranger.enter(new_token(web.charlie.organisation.secret), "c") == READY
    async with in_process() as fourth:
        assert await fourth.enter(token, "c") == READY


async def test_used_runs_are_told_to_the_evaluation_and_to_the_next_choice(
    web: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, replace(FREE, runs_per_month=1))
    token = new_token(web.alice.organisation.secret)
    async with in_process() as client:
        assert await client.enter(token, "python3") == READY
        assert await client.ask("eval", "6 * 7") == {"command": "result", "data": "42"}
        refused = await client.ask("eval", "6 * 7")
        assert (refused["command"], refused["data"]) == ("result", "")
        assert refused["error"].startswith("All 1 runs of the Free plan are used.")
    async with in_process() as client:
        answer = await client.enter(token, "python3")
        assert answer["command"] == "error"
        assert answer["data"].startswith("All 1 runs of the Free plan are used.")


# --- sessions ---


async def test_a_replaced_secret_ends_the_session_and_answers_what_is_pending(web: Cast) -> None:
    organisation = web.alice.organisation
    async with in_process() as client:
        assert await client.enter(new_token(organisation.secret), "python3") == READY
        await client.send("eval", "print('begun', end='')\nwhile True: pass")
        await client.send("eval", "2")
        assert (await client.next())["data"] == "begun"
        await database_sync_to_async(rotate_account_secret)(organisation=organisation)
        for _ in range(2):
            told = await client.next()
            assert (told["command"], told["data"]) == ("result", "")
            assert "secret was replaced" in told["error"]
        assert await client.closed() == 4401


async def test_small_things(web: Cast) -> None:
    async with in_process() as client:
        assert await client.enter(new_token(web.alice.organisation.secret), "python3") == READY
        assert await client.ask("ping") == {"command": "pong", "data": ""}
        await client.send("pong")
        assert (await client.ask("dance"))["command"] == "error"
        await client.wire.send("nonsense")
        assert (await client.next())["command"] == "error"
        await client.send("eval", 6)
        assert await client.next() == {"command": "result", "data": "6"}
        await client.wire.send('{"command": "eval"}')
        assert await client.next() == NOTHING
        assert await client.ask("debuggerStep") == {
            "command": "debuggerBreak",
            "data": '{"done": true, "stack": []}',
        }
        too_long = await client.ask("eval", "#" * 102_401)
        assert too_long["error"] == "code: Has 102,401 bytes of UTF-8; at most 102,400 are allowed."
        project = await client.ask("runProject", '[{"name": "../a.py", "content": ""}]')
        assert project["error"].startswith("files: ")


async def test_evaluations_wait_for_each_other_and_too_many_do_not(web: Cast) -> None:
    async with in_process() as client:
        assert await client.enter(new_token(web.alice.organisation.secret), "python3") == READY
        await client.send("eval", "print('begun', end='')\ninput()")
        assert (await client.next())["data"] == "begun"
        for number in range(65):
            await client.send("eval", str(number))
        assert (await client.next())["error"].startswith("64 requests wait already.")
        await client.send("input", "go\n")
        values = [(await client.next())["data"] for _ in range(65)]
        assert values == ["'go'", *map(str, range(64))]


async def test_a_console_that_runs_out_of_memory_is_told_and_the_next_evaluation_begins_anew(web: Cast) -> None:
    async with in_process() as client:
        assert await client.enter(new_token(web.alice.organisation.secret), "python3") == READY
        lost = await client.ask("eval", "x = bytearray(900_000_000)")
        assert lost["error"].startswith("MemoryLimit: ")
        assert await client.ask("eval", "6 * 7") == {"command": "result", "data": "42"}


async def test_a_console_that_nobody_used_is_closed_which_the_next_evaluation_says(
    web: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, replace(FREE, context_idle_seconds=1))
    async with in_process() as client:
        assert await client.enter(new_token(web.alice.organisation.secret), "python3") == READY
        assert await client.ask("eval", "x = 1") == NOTHING
        # Longer than the idle time, and the interval at which it is looked for.
        await asyncio.sleep(5)
        assert (await client.ask("eval", "x"))["error"].startswith("Nobody used this console for a while")
        assert await client.ask("eval", "6 * 7") == {"command": "result", "data": "42"}


# --- the running service ---


async def test_connections_and_runs_are_counted_and_given_back(service: Service, token: Token) -> None:
    before = service.usage()
    async with over_network(service) as client:
        assert await client.enter(token(), "ruby") == READY
        assert await client.ask("eval", "6 * 7") == {"command": "result", "data": "42"}
        now = service.usage()
        assert (now["connections"], now["runs_used"]) == (before["connections"] + 1, before["runs_used"] + 1)
    await no_connections(service)


def contexts_of(service: Service) -> set[str]:
    with service.client() as api:
        return {context["context_id"] for context in api.get("/contexts/").json()["contexts"]}


async def test_nobody_else_sees_a_session_s_files_or_its_console(service: Service, token: Token) -> None:
    before = contexts_of(service)
    async with over_network(service) as one, over_network(service) as other:
        for client in (one, other):
            assert await client.enter(token(), "python3") == READY
        assert await one.ask("eval", "x = open('secret.txt', 'w').write('mine')") == NOTHING
        assert (await one.ask("fileContents", "secret.txt"))["data"] == "mine"
        for path in ("secret.txt", "../work/secret.txt", "/work/secret.txt", "/etc/passwd", ""):
            answer = await other.ask("fileContents", path)
            assert answer["data"] == ""
            assert answer["error"]
        assert "NameError" in (await other.ask("eval", "x"))["error"]
        assert contexts_of(service) <= before


async def test_both_paths_of_the_other_sockets_are_theirs(service: Service) -> None:
    async with over_network(service) as client:
        assert await client.ask("auth", "nonsense") == {"command": "auth_result", "data": "false"}
