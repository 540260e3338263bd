"""Contexts when processes are killed (kill -9), and through two web processes: what stays, what goes, who is told."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import httpx
import pytest

from billing.plans import FREE
from tests.contexts.test_execute import execute, primary
from tests.ratelimits.redis_server import RedisServer
from tests.realtime.clients import no_connections, over_network
from tests.realtime.test_two_processes import REVOKE, make_key
from tests.server import Service, running_service, wait_until

# Within so many seconds the places that a killed process held are free again.
HEALED = 60.0
ENDLESS = "x = 'kept'\nprint('on', flush=True)\nwhile True: pass"
NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    redis = RedisServer(tmp_path_factory.mktemp("redis"))
    redis.start()
    with running_service(REDIS_URL=redis.url) as service:
        yield service
    redis.stop()


def live(api: httpx.Client) -> list[dict[str, Any]]:
    contexts: list[dict[str, Any]] = api.get("/contexts").json()["contexts"]
    return contexts


def kill(service: Service, name: str) -> None:
    """Kills one of the service's two processes, and returns when another one has taken its place."""
    pid: int = getattr(service, name)
    os.kill(pid, signal.SIGKILL)

    def replaced() -> bool:
        with suppress(AssertionError):
            return bool(getattr(service, name) != pid)
        return False

    wait_until(replaced, service.log)
    service.wait_until_ready()


def stream(service: Service, body: dict[str, Any]) -> tuple[Iterator[str], ExitStack]:
    """A streamed cell that runs: the lines that come of it from now on, and what ends it."""
    stack = ExitStack()
    client = stack.enter_context(service.client())
    answer = stack.enter_context(client.stream("POST", "/execute", json=body, headers=NDJSON))
    lines = answer.iter_lines()
    while json.loads(next(lines))["type"] != "stdout":
        continue
    return lines, stack


def test_contexts_outlive_a_web_process_and_what_it_held_is_free_again(service: Service, api: httpx.Client) -> None:
    with ExitStack() as held:
        for _ in range(FREE.sync_concurrency):
            _, stack = stream(service, {"code": ENDLESS})
            held.enter_context(stack)
        contexts = {context["context_id"] for context in live(api)}
        kill(service, "web")
        began = time.monotonic()
    with service.client() as again:
        assert {context["context_id"] for context in live(again)} == contexts

        def answered() -> bool:
            answer = again.post("/execute", json={"code": "x", "context_id": min(contexts)})
            if answer.status_code == 429:
                assert answer.json()["code"] in ("concurrency_limit", "rate_limit")
                return False
            return primary(answer.json())["text"] == "'kept'"

        wait_until(answered, service.log, HEALED)
        assert time.monotonic() - began < HEALED
        with ThreadPoolExecutor() as pool:
            at_once = pool.map(
                lambda name: execute(again, "import time; time.sleep(0.3); x", context_id=name), contexts
            )
            assert [primary(cell)["text"] for cell in at_once] == ["'kept'"] * len(contexts)


async def test_seats_of_contexts_sockets_come_free_when_their_process_is_killed(
    service: Service, api: httpx.Client
) -> None:
    context_id = execute(api, "x = 5")["context_id"]
    async with asyncio.timeout(HEALED + 30):
        async with over_network(service.url, path=f"/ws/contexts/{context_id}") as client:
            await client.send("auth", key=service.demo["websocket_key"])
            await client.next()
            await client.send("execute", code=ENDLESS)
            await client.until("stdout")
            await asyncio.to_thread(kill, service, "web")
            assert await client.closed() == 1006
    async with asyncio.timeout(HEALED):
        while service.usage()["connections"]:
            await asyncio.sleep(0.2)
    async with over_network(service.url, path=f"/ws/contexts/{context_id}") as client:
        await client.send("auth", key=service.demo["websocket_key"])
        assert (await client.next())["context"]["context_id"] == context_id


async def test_those_who_watch_are_told_that_the_supervisor_was_killed(service: Service, api: httpx.Client) -> None:
    streamed, watched, idle = (execute(api, "x = 1")["context_id"] for _ in range(3))
    lines, stack = await asyncio.to_thread(stream, service, {"code": ENDLESS, "context_id": streamed})
    with stack:
        async with (
            over_network(service.url, path=f"/ws/contexts/{watched}") as client,
            over_network(service.url, path=f"/ws/contexts/{idle}") as other,
        ):
            for each in (client, other):
                await each.send("auth", key=service.demo["websocket_key"])
                assert (await each.next())["type"] == "ready"
            await client.send("execute", code=ENDLESS, id="one")
            await client.until("stdout")
            await asyncio.to_thread(kill, service, "supervisor")
            end = (await client.until("end"))[-1]
            assert (end["id"], "has just restarted" in end["error"]["value"]) == ("one", True)
            assert await client.refusal() == ("not_found", 4404)
            await other.send("execute", code="x", id="two")
            error = await other.next()
            assert (error["type"], error["code"]) == ("error", "not_found")
            assert "There is no such context" in error["message"]
            assert await other.closed() == 4404
        last = json.loads(list(await asyncio.to_thread(list, lines))[-1])
        assert (last["type"], "has just restarted" in last["error"]["value"]) == ("end", True)
    assert live(api) == []
    for context_id in (streamed, watched, idle):
        gone = await asyncio.to_thread(api.post, "/execute", json={"code": "x", "context_id": context_id})
        assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    await no_connections(service)
    # All places are free at once: nobody was killed who held one.
    with ThreadPoolExecutor() as pool:
        cells = pool.map(lambda _: execute(api, "import time; time.sleep(0.3); 1"), range(FREE.live_contexts))
        assert [primary(cell)["text"] for cell in cells] == ["1"] * FREE.live_contexts


async def test_a_context_is_reached_through_any_web_process(service: Service, api: httpx.Client) -> None:
    with service.second_web() as url:
        context_id = execute(api, "x = 20")["context_id"]
        with httpx.Client(base_url=url, headers=api.headers, timeout=60) as second:
            assert primary(execute(second, "x + 1", context_id=context_id))["text"] == "21"
            assert [context["context_id"] for context in live(second)] == [context_id]
            second_file = await asyncio.to_thread(second.put, f"/contexts/{context_id}/files/a", content=b"a")
            assert second_file.status_code == 204
        assert (await asyncio.to_thread(api.get, f"/contexts/{context_id}/files/a")).content == b"a"
        async with over_network(url, path=f"/ws/contexts/{context_id}") as client:
            await client.send("auth", key=service.demo["websocket_key"])
            await client.next()
            await client.send("execute", code=ENDLESS)
            await client.until("stdout")
            interrupted = await asyncio.to_thread(api.post, f"/contexts/{context_id}/interrupt")
            assert interrupted.status_code == 200
            assert (await client.until("end"))[-1]["error"]["name"] == "Interrupted"
        # Both count the contexts of an organisation together.
        with httpx.Client(base_url=url, headers=api.headers, timeout=60) as second:
            for number in range(FREE.live_contexts - 1):
                execute((api, second)[number % 2], "1")
            refused = await asyncio.to_thread(second.post, "/execute", json={"code": "1"})
            assert (refused.status_code, refused.json()["code"]) == (429, "context_limit")


async def test_a_revoked_key_ends_the_connections_of_both(service: Service, api: httpx.Client) -> None:
    context_id = execute(api, "x = 1")["context_id"]
    key = await asyncio.to_thread(make_key, service)
    with service.second_web() as url:
        async with (
            over_network(service.url, path=f"/ws/contexts/{context_id}") as first,
            over_network(url, path=f"/ws/contexts/{context_id}") as second,
        ):
            for client in (first, second):
                await client.send("auth", key=key)
                assert (await client.next())["type"] == "ready"
            await first.send("execute", code=ENDLESS)
            await first.until("stdout")
            await asyncio.to_thread(service.manage, "shell", "-v0", "-c", REVOKE.format(value=key))
            for client in (first, second):
                frames = await client.until("error")
                assert frames[-1]["code"] == "key_revoked"
                assert await client.closed() == 4401
    assert primary(execute(api, "x", context_id=context_id))["text"] == "'kept'"


PLAN = """
from accounts.models import Organisation
from billing.plans import PRO
from billing.subscriptions import cancel, subscribe
organisation_id = Organisation.objects.get(secret={secret!r}).pk
{change}
"""


async def test_a_plan_that_holds_fewer_contexts_closes_the_longest_unused(service: Service, api: httpx.Client) -> None:
    def change(line: str) -> None:
        service.manage("shell", "-v0", "-c", PLAN.format(secret=service.demo["secret"], change=line))

    await asyncio.to_thread(change, "subscribe(organisation_id, PRO)")
    opened = [execute(api, f"x = {number}")["context_id"] for number in range(FREE.live_contexts + 2)]
    async with over_network(service.url, path=f"/ws/contexts/{opened[0]}") as client:
        await client.send("auth", key=service.demo["websocket_key"])
        assert (await client.next())["type"] == "ready"
        await asyncio.to_thread(change, "cancel(organisation_id)")
        async with asyncio.timeout(HEALED):
            while len(left := live(api)) > FREE.live_contexts:
                await asyncio.sleep(0.1)
        assert {context["context_id"] for context in left} == set(opened[2:])
        assert primary(execute(api, "x", context_id=opened[2]))["text"] == "2"
        await client.send("execute", code="x")
        assert await client.refusal() == ("not_found", 4404)
