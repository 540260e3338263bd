"""`/ws/contexts/{id}` over the wire: cells watched, fed and interrupted while they run, and whose context it is."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from billing.plans import FREE
from execution.contexts import frames
from tests.clients import node
from tests.contexts.test_execute import execute, primary
from tests.pages.test_docs_examples import FOLDER, fences
from tests.realtime.clients import Client, no_connections, over_network
from tests.realtime.test_documentation import BROWSER, filled
from tests.server import Service

# A run a second on a connection, as the plan says.
A_SECOND = 1.1

STRANGERS_KEY = """
from accounts.key_lifecycle import create_websocket_key
from accounts.models import User
from accounts.organisations import ensure_personal_organisation
charlie, _ = User.objects.get_or_create(email="charlie@strangers.example")
organisation = ensure_personal_organisation(user=charlie)
print(create_websocket_key(organisation=organisation, created_by=charlie, name="Stranger").value)
"""


@asynccontextmanager
async def opened(service: Service, named: str = "new", key: str = "") -> AsyncIterator[tuple[Client, dict[str, Any]]]:
    """A connection on a context that is ready, and what `ready` says of the context."""
    async with over_network(service.url, path=f"/ws/contexts/{named}") as client:
        await client.send("auth", key=key or service.demo["websocket_key"])
        ready = await client.next()
        assert ready["type"] == "ready", ready
        yield client, ready["context"]


@pytest.fixture
async def socket(service: Service, api: httpx.Client) -> AsyncIterator[tuple[Client, dict[str, Any]]]:
    async with opened(service) as (client, context):
        yield client, context


def live(api: httpx.Client) -> list[dict[str, Any]]:
    """The live contexts."""
    contexts: list[dict[str, Any]] = api.get("/contexts").json()["contexts"]
    return contexts


async def cell(client: Client, code: str, **fields: Any) -> list[dict[str, Any]]:
    """All frames of a cell, after the second that the last one takes."""
    await asyncio.sleep(A_SECOND)
    await client.send("execute", code=code, **fields)
    return await client.until("end", "error")


async def test_a_cell_is_seen_as_it_happens_and_ends_with_its_execution(socket: tuple[Client, dict[str, Any]]) -> None:
    client, context = socket
    code = "import sys\nprint('out')\nprint('err', file=sys.stderr)\ndisplay(1)\n6 * 7"
    begun, *shown, end = await cell(client, code, id="one")
    assert begun == {"type": "begin", "id": "one", "context_id": context["context_id"]}
    for stream, printed in (("stdout", "out\n"), ("stderr", "err\n")):
        assert "".join(frame["text"] for frame in shown if frame["type"] == stream) == printed
    assert {frame["id"] for frame in shown} == {"one"}
    assert [frame["item"]["text"] for frame in shown if frame["type"] == "item"] == ["1", "42"]
    assert (end["type"], end["id"], end["execution_count"], primary(end)["text"]) == ("end", "one", 1, "42")
    assert "error" not in end
    assert primary((await cell(client, "_ + 1"))[-1])["text"] == "43"


async def test_input_answers_while_the_cell_runs(socket: tuple[Client, dict[str, Any]]) -> None:
    client, _ = socket
    await client.send(
        "execute", code="print('Hello', input('name? '))\nrest = __import__('sys').stdin.read()\nrest", interactive=True
    )
    frames_ = await client.until("stdout")
    while "name? " not in "".join(frame.get("text", "") for frame in frames_):
        frames_.append(await client.next())
    await client.send("input", data="Ada\nthe ")
    await client.send("input", data="rest")
    await client.send("input_end")
    end = (await client.until("end"))[-1]
    assert (end["logs"]["stdout"], primary(end)["text"]) == (["name? Hello Ada"], "'the rest'")
    await client.send("input", data="late")
    assert (await client.next())["code"] == "not_running"


async def test_an_interrupt_ends_the_cell_and_a_restart_the_state(socket: tuple[Client, dict[str, Any]]) -> None:
    client, context = socket
    await client.send("execute", code="x = 'kept'\nprint('on', flush=True)\nwhile True: pass")
    await client.until("stdout")
    await client.send("interrupt")
    by_type: dict[str, dict[str, Any]] = {}
    while not {"end", "context"} <= by_type.keys():
        frame = await client.next()
        by_type[frame["type"]] = frame
    assert by_type["end"]["error"]["name"] == "Interrupted"
    assert by_type["context"]["context"]["context_id"] == context["context_id"]
    assert primary((await cell(client, "x"))[-1])["text"] == "'kept'"
    await client.send("restart")
    assert (await client.next())["context"]["execution_count"] == 0
    assert (await cell(client, "x"))[-1]["error"]["name"] == "NameError"


async def test_going_away_interrupts_the_cell_and_leaves_the_context(service: Service, api: httpx.Client) -> None:
    async with opened(service) as (client, context):
        await client.send("execute", code="x = 'kept'\nprint('on', flush=True)\nwhile True: pass")
        await client.until("stdout")
    async with asyncio.timeout(20):
        while live(api)[0]["state"] != "idle":
            await asyncio.sleep(0.05)
    async with opened(service, context["context_id"]) as (client, again):
        assert again["execution_count"] == 1
        assert primary((await cell(client, "x"))[-1])["text"] == "'kept'"
    await no_connections(service)


async def test_a_context_of_an_api_key_is_reached_and_runs_are_counted(service: Service, api: httpx.Client) -> None:
    context_id = execute(api, "x = 5")["context_id"]
    async with opened(service, context_id) as (client, _):
        used = service.usage()["runs_used"]
        assert primary((await cell(client, "x"))[-1])["text"] == "5"
        assert service.usage()["connections"] == 1
    assert service.usage()["runs_used"] == used + 1
    assert primary(execute(api, "x", context_id=context_id))["text"] == "5"


@pytest.mark.parametrize(("query", "said"), [("?language=ts", {}), ("", {"language": "typescript"})])
async def test_a_new_context_has_the_language_that_is_named(
    service: Service, api: httpx.Client, query: str, said: dict[str, str]
) -> None:
    async with over_network(service.url, path=f"/ws/contexts/new/{query}") as client:
        await client.send("auth", key=service.demo["websocket_key"], **said)
        ready = await client.next()
    assert ready["context"]["language"] == live(api)[0]["language"] != "python"


async def test_what_is_wrong_is_named_and_the_connection_stays(socket: tuple[Client, dict[str, Any]]) -> None:
    client, _ = socket
    for frame, field in (
        ({"type": "execute"}, "code"),
        ({"type": "execute", "code": "1", "id": "x" * 200}, "id"),
        ({"type": "execute", "code": "1", "interactive": 1}, "interactive"),
        ({"type": "execute", "code": "1", "timeout_ms": "soon"}, "timeout_ms"),
        ({"type": "run", "code": "1"}, "type"),
    ):
        await client.send(frame.pop("type"), **frame)
        error = await client.next()
        assert (error["type"], [each["field"] for each in error["errors"]]) == ("error", [field])
    await client.send("execute", code="input('on')", id="slow", interactive=True)
    await client.until("stdout")
    await client.send("execute", code="1", id="second")
    refused = (await client.until("error"))[-1]
    assert (refused["id"], refused["code"]) == ("second", "concurrency_limit")
    await client.send("input", data="\n")
    await client.until("end")
    refused = {"type": "end"}
    while refused["type"] == "end":
        # On a busy machine a cell may take longer than the second that lies between two.
        await client.send("execute", code="1", id="too soon")
        refused = (await client.until("error", "end"))[-1]
    assert (refused["id"], refused["code"], refused["retry_after"]) == ("too soon", "rate_limit", 1)
    await client.send("ping")
    assert await client.next() == {"type": "pong"}


async def test_who_may_not_come_in_is_told(service: Service, api: httpx.Client) -> None:
    context_id = execute(api, "secret = 1")["context_id"]
    stranger = service.manage("shell", "-v0", "-c", STRANGERS_KEY).decode().split()[-1]
    for named, key, refusal in (
        (context_id, stranger, ("not_found", 4404)),
        ("nowhere", service.demo["websocket_key"], ("not_found", 4404)),
        (context_id, service.demo["api_key"], ("wrong_key_kind", 4403)),
        (context_id, "wk_nobodys", ("key_unknown", 4401)),
        ("new?language=cobol", service.demo["websocket_key"], ("invalid", 4400)),
    ):
        async with over_network(service.url, path=f"/ws/contexts/{named}") as client:
            await client.send("auth", key=key)
            assert await client.refusal() == refusal
    assert len(live(api)) == 1
    await no_connections(service)


async def test_a_context_that_is_closed_ends_its_connections(service: Service, api: httpx.Client) -> None:
    async with opened(service) as (client, context), opened(service, context["context_id"]) as (other, _):
        await asyncio.to_thread(api.delete, f"/contexts/{context['context_id']}")
        await client.send("execute", code="1")
        assert await client.refusal() == ("not_found", 4404)
        await other.send("interrupt")
        assert await other.refusal() == ("not_found", 4404)


async def test_an_organisation_has_as_many_contexts_as_its_plan_says(service: Service, api: httpx.Client) -> None:
    for _ in range(FREE.live_contexts):
        execute(api, "1")
    async with over_network(service.url, path="/ws/contexts/new") as client:
        await client.send("auth", key=service.demo["websocket_key"])
        assert await client.refusal() == ("context_limit", 4429)


async def test_who_reads_slowly_slows_the_cell_down_and_loses_nothing(socket: tuple[Client, dict[str, Any]]) -> None:
    client, _ = socket
    await client.send("execute", code="for n in range(6): print('x' * 150_000)", timeout_ms=30_000)
    await asyncio.sleep(1)
    frames_ = await client.until("end")
    assert sum(len(frame["text"]) for frame in frames_ if frame["type"] == "stdout") == 6 * 150_001


# --- the documentation ---


def test_the_examples_answer(service: Service, api: httpx.Client) -> None:
    (code,) = fences("contexts", "python")
    done = subprocess.run(
        [sys.executable, "-c", filled(code, service)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "0\n1\n2\n3\n"
    (code,) = fences("contexts", "js")
    assert "".join(node.run(BROWSER + filled(code, service)).split("\n")) == "Your name? Hello Ada3"


def test_every_frame_stands_in_the_page() -> None:
    page = (FOLDER / "contexts.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))
    assert set(frames.TYPES) | {"auth", "ready", "begin", "end", "context", "error", "pong"} <= listed
