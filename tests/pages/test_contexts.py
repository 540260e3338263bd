"""The pages of live contexts: the list, what can be done with one, and the console's side of the service."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client

from billing.metering import metering_service
from billing.usage import ausage_of
from execution.sandbox.context_client import ContextClient
from execution.sandbox_clients import sandbox_client, sandbox_connections
from tests.cast import Cast, Person
from tests.pages.html import Element, parse
from tests.pages.test_every_page import assert_sound
from tests.sandbox.supervisors import RunningSupervisor

CONTEXTS, CONSOLE = "/dashboard/contexts/", "/dashboard/console/"
RUN = f"{CONSOLE}run/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
async def running(cast: Cast, sandbox: RunningSupervisor) -> AsyncIterator[None]:
    """What a web process has beside its views; afterwards no context is left."""
    async with metering_service(), sandbox_connections():
        yield
        contexts = ContextClient(sandbox_client())
        for person in (cast.alice, cast.charlie):
            scope = str(person.organisation.pk)
            for info in await contexts.listed(scope=scope):
                await contexts.close(scope=scope, context_id=info.id)


async def signed_in(person: Person) -> AsyncClient:
    client = AsyncClient()
    client.cookies = await sync_to_async(lambda: person.client.cookies)()
    return client


async def run(client: AsyncClient, code: str, **fields: str) -> list[dict[str, Any]]:
    answer = await client.post(RUN, {"code": code, **fields}, headers=HTMX)
    assert answer.status_code == 200, answer.content
    assert isinstance(answer, StreamingHttpResponse)
    content = b"".join([part async for part in answer])  # type: ignore[union-attr]
    return [json.loads(line) for line in content.splitlines()]


async def opened(client: AsyncClient, code: str = "x = 42") -> str:
    context_id: str = (await run(client, code))[0]["context_id"]
    return context_id


async def page(client: AsyncClient, path: str = CONTEXTS, **headers: str) -> Element:
    response = await client.get(path, headers=headers)
    assert response.status_code == 200, path
    return parse(response.content.decode())


# --- The list ---


async def test_no_context_yet_is_told(cast: Cast, running: None) -> None:
    assert "No context is open." in (await page(await signed_in(cast.bob))).one("section", id="contexts").text


async def test_it_lists_the_organisations_contexts_and_no_strangers(cast: Cast, running: None) -> None:
    bob, charlie = await signed_in(cast.bob), await signed_in(cast.charlie)
    context_id = await opened(bob)
    whole = await page(await signed_in(cast.alice))
    assert_sound(whole)
    row = whole.one("section", id="contexts").one("li").text
    assert context_id[:8] in row
    for shown in ("Python", "idle", "1 cell", "MB"):
        assert shown in row
    assert "No context is open." in (await page(charlie)).text


async def test_htmx_gets_the_list_alone(cast: Cast, running: None) -> None:
    part = await page(await signed_in(cast.bob), **HTMX)
    assert part.one("section", id="contexts")["hx-get"] == CONTEXTS
    assert not part.all("html")


async def test_a_context_is_restarted_and_closed(cast: Cast, running: None) -> None:
    client = await signed_in(cast.bob)
    context_id = await opened(client)
    part = await client.post(f"{CONTEXTS}{context_id}/restart/", headers=HTMX)
    assert "0 cells" in parse(part.content.decode()).text
    assert (await run(client, "x", context_id=context_id))[-1]["error"]["name"] == "NameError"
    gone = await client.post(f"{CONTEXTS}{context_id}/close/")
    assert (gone.status_code, gone["Location"]) == (302, CONTEXTS)
    assert f"Context {context_id[:8]} is closed." in (await page(client)).text
    assert (await client.post(f"{CONTEXTS}{context_id}/close/")).status_code == 404


async def test_an_interrupt_leaves_the_state(cast: Cast, running: None) -> None:
    client = await signed_in(cast.bob)
    context_id = await opened(client)
    part = await client.post(f"{CONTEXTS}{context_id}/interrupt/", headers=HTMX)
    assert "idle" in parse(part.content.decode()).text
    assert (await run(client, "x", context_id=context_id))[-1]["items"][0]["text"] == "42"


@pytest.mark.parametrize("action", ["interrupt", "restart", "close"])
async def test_a_stranger_does_nothing_with_a_context(cast: Cast, running: None, action: str) -> None:
    bob, charlie = await signed_in(cast.bob), await signed_in(cast.charlie)
    context_id = await opened(bob)
    assert (await charlie.post(f"{CONTEXTS}{context_id}/{action}/")).status_code == 404
    assert (await run(bob, "x", context_id=context_id))[-1]["items"][0]["text"] == "42"


@pytest.mark.parametrize("path", [RUN, *(f"{CONTEXTS}x/{action}/" for action in ("interrupt", "restart", "close"))])
def test_what_acts_asks_for_the_form_token(cast: Cast, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(path, {"code": "1"}).status_code == 403
    assert client.get(path).status_code == 405


def test_a_host_that_does_not_answer_is_told(cast: Cast) -> None:
    """No supervisor is asked for by this test; one that runs for others knows nothing of these organisations."""
    text = cast.bob.client.get(CONTEXTS).content.decode()
    assert "does not answer right now" in text or "No context is open." in text


# --- The console ---


async def test_the_console_offers_the_languages_of_contexts(cast: Cast, running: None) -> None:
    choice = (await page(await signed_in(cast.bob), CONSOLE)).one("select", id="language")
    offered = [option["value"] for option in choice.all("option")]
    assert offered[0] == "python"
    assert set(offered) <= {"python", "typescript"}


async def test_a_console_on_a_live_context_keeps_its_language(cast: Cast, running: None) -> None:
    client = await signed_in(cast.bob)
    context_id = await opened(client)
    whole = await page(client, f"{CONSOLE}{context_id}/")
    assert_sound(whole)
    root = whole.one("div", id="console")
    assert (root["data-context"], root["data-count"]) == (context_id, "1")
    assert "disabled" in whole.one("select", id="language").attributes


async def test_a_strangers_context_has_no_console(cast: Cast, running: None) -> None:
    context_id = await opened(await signed_in(cast.bob), "secret = 42")
    charlie = await signed_in(cast.charlie)
    assert (await charlie.get(f"{CONSOLE}{context_id}/")).status_code == 404
    answer = await charlie.post(RUN, {"code": "secret", "context_id": context_id}, headers=HTMX)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_cells_are_told_as_they_run_and_count_as_runs(cast: Cast, running: None) -> None:
    client = await signed_in(cast.bob)
    told = await run(client, "print('one')\r\n6 * 7")
    assert [event["type"] for event in told if event["type"] != "stdout"] == ["begin", "item", "end"]
    assert "".join(event["text"] for event in told if event["type"] == "stdout") == "one\n"
    assert told[-2]["item"] == {"is_primary": True, "text": "42"}
    assert (await run(client, "1 / 0", context_id=told[0]["context_id"]))[-1]["error"]["name"] == "ZeroDivisionError"
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 2
    assert (await ausage_of(cast.charlie.organisation.pk)).runs_used == 0


async def test_what_is_wrong_is_refused_in_the_apis_words(cast: Cast, running: None) -> None:
    client = await signed_in(cast.bob)
    answer = await client.post(RUN, {"code": "1", "language": "cobol"}, headers=HTMX)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "language")
    answer = await client.post(RUN, {}, headers=HTMX)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "code")
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 0


def test_whoever_is_signed_out_is_sent_to_the_sign_in_page(client: Client, db: None) -> None:
    assert client.post(RUN, {"code": "1"}, headers=HTMX)["HX-Redirect"].startswith("/accounts/login/")


# --- Files ---


async def test_files_are_sent_listed_fetched_and_removed(cast: Cast, running: None) -> None:
    client = await signed_in(cast.bob)
    context_id = await opened(client, "open('made.txt', 'w').write('<b>made</b>')")
    files = f"{CONSOLE}{context_id}/files/"
    sent = SimpleUploadedFile("n e.bin", b"\x00\xff")
    part = parse((await client.post(f"{files}send/", {"files": sent}, headers=HTMX)).content.decode())
    assert [link.text for link in part.all("a", class_="mono")] == ["made.txt", "n e.bin"]
    fetched = await client.get(part.all("a", class_="mono")[1]["href"])
    assert (fetched.content, fetched["Content-Disposition"]) == (b"\x00\xff", "attachment")
    assert fetched["Content-Type"] == "application/octet-stream"
    assert fetched["X-Content-Type-Options"] == "nosniff"
    told = await run(client, "open('n e.bin', 'rb').read()", context_id=context_id)
    assert told[-1]["items"][0]["text"] == r"b'\x00\xff'"
    part = parse((await client.post(f"{files}remove/", {"path": "made.txt"}, headers=HTMX)).content.decode())
    assert [link.text for link in part.all("a", class_="mono")] == ["n e.bin"]


async def test_a_file_that_cannot_be_removed_is_told(cast: Cast, running: None) -> None:
    client = await signed_in(cast.bob)
    context_id = await opened(client)
    for path in ("nothing.txt", "../etc/passwd", ""):
        answer = await client.post(f"{CONSOLE}{context_id}/files/remove/", {"path": path}, headers=HTMX)
        assert parse(answer.content.decode()).one("p", role="alert").text
    assert (await client.get(f"{CONSOLE}{context_id}/files/get/nothing.txt")).status_code == 404
    assert (await client.get(f"{CONSOLE}{context_id}/files/get/..%2Fetc%2Fpasswd")).status_code == 404


async def test_a_strangers_files_are_not_there(cast: Cast, running: None) -> None:
    bob, charlie = await signed_in(cast.bob), await signed_in(cast.charlie)
    context_id = await opened(bob, "open('secret.txt', 'w').write('s')")
    files = f"{CONSOLE}{context_id}/files/"
    assert (await charlie.get(files)).status_code == 404
    assert (await charlie.get(f"{files}get/secret.txt")).status_code == 404
    for action, fields in (("send", {"files": SimpleUploadedFile("a", b"a")}), ("remove", {"path": "secret.txt"})):
        assert (await charlie.post(f"{files}{action}/", fields)).status_code == 404
    assert "secret.txt" in (await page(bob, files)).text


# --- The frame for what programs show ---


@pytest.mark.django_db
def test_output_has_no_origin_and_no_network(client: Client) -> None:
    answer = client.get(f"{CONSOLE}output/")
    policy = dict(part.partition(" ")[::2] for part in answer["Content-Security-Policy"].split("; "))
    assert policy["sandbox"] == "allow-scripts"
    assert policy["default-src"] == "'none'"
    assert not {"connect-src", "form-action"} & policy.keys()
    assert "http" not in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_only_the_console_may_show_frames(cast: Cast) -> None:
    assert "frame-src 'self'" in cast.bob.client.get(CONSOLE)["Content-Security-Policy"]
    assert "frame-src" not in cast.bob.client.get(CONTEXTS)["Content-Security-Policy"]
