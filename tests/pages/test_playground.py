"""The playground: the form, and what comes back of a run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client

from accounts.caller import Caller
from billing.metering import metering_service
from billing.plans import FREE
from billing.subscriptions import plan_for
from billing.usage import ausage_of
from execution.capacity import admit_run
from execution.catalogue import COMPILERS, installed
from execution.sandbox_clients import sandbox_connections
from tests.cast import Cast, Person
from tests.pages.html import Element, parse
from tests.pages.test_every_page import assert_sound
from tests.sandbox.supervisors import RunningSupervisor
from tests.settings import INSTALLED_TOOLCHAINS

RUN = "/playground/run/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
async def running(sandbox: RunningSupervisor) -> AsyncIterator[None]:
    """What a web process has beside its views."""
    async with metering_service(), sandbox_connections():
        yield


async def signed_in(person: Person) -> AsyncClient:
    client = AsyncClient()
    client.cookies = await sync_to_async(lambda: person.client.cookies)()
    return client


async def run(client: AsyncClient, code: str, compiler: str = "python-3.14", **fields: str) -> Element:
    response = await client.post(RUN, {"compiler": compiler, "code": code, **fields}, headers=HTMX)
    assert response.status_code == 200
    return parse(response.content.decode())


def strip(part: Element) -> dict[str, str]:
    rows = part.all("dl")[0].all("div")
    return {row.one("dt").text: row.one("dd").text for row in rows}


def texts(part: Element) -> dict[str, str]:
    return {
        name: pre.text for pre in part.all("pre") for name in ("data-output", "data-error") if name in pre.attributes
    }


# --- The page ---


def test_it_offers_what_is_installed(cast: Cast) -> None:
    page = parse(cast.bob.client.get("/playground/").content.decode())
    offered = [option["value"] for option in page.one("select", name="compiler").all("option")]
    assert offered == list(installed(INSTALLED_TOOLCHAINS.parent))


def test_it_begins_with_a_sample(cast: Cast) -> None:
    page = parse(cast.bob.client.get("/playground/?compiler=g%2B%2B-15").content.decode())
    chosen = [option["value"] for option in page.all("option") if "selected" in option.attributes]
    assert "g++-15" in chosen
    assert "Hello, World!" in page.one("textarea", name="code").text


def test_an_unknown_compiler_leads_to_the_first(cast: Cast) -> None:
    page = parse(cast.charlie.client.get("/playground/?compiler=cobol").content.decode())
    assert page.one("option", selected="")["value"] == next(iter(installed(INSTALLED_TOOLCHAINS.parent)))


def test_whoever_signs_in_on_the_way_to_a_run_comes_to_the_form(cast: Cast) -> None:
    assert Client().post(RUN, {"code": "x"})["Location"] == f"/accounts/login/?next={RUN}"
    assert cast.alice.client.get(RUN)["Location"] == "/playground/"


def test_the_pages_script_is_sent_to_the_sign_in_page(client: Client, db: None) -> None:
    response = client.post(RUN, {"code": "x"}, headers=HTMX)
    assert response["HX-Redirect"].startswith("/accounts/login/")


def test_it_asks_for_the_form_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(RUN, {"compiler": "python-3.14", "code": "print(1)"}).status_code == 403


# --- Runs ---


async def test_it_shows_what_was_printed_and_how_it_ended(cast: Cast, running: None) -> None:
    code = "import sys\nprint(input()[::-1])\nprint('oh', file=sys.stderr)\nsys.exit(3)"
    part = await run(await signed_in(cast.bob), code, input="olleh")
    assert texts(part) == {"data-output": "hello", "data-error": "oh"}
    facts = strip(part)
    assert facts["exit"] == "3"
    assert facts["time"].endswith(" s")
    assert facts["memory"].endswith(" MB")
    assert "signal" not in facts


async def test_browsers_line_ends_are_the_programs_own(cast: Cast, running: None) -> None:
    code = "import sys\r\nprint([sys.stdin.read()])\r\n"
    assert texts(await run(await signed_in(cast.bob), code, input="a\r\nb"))["data-output"] == r"['a\nb']"


async def test_a_compile_error_shows_the_compilers_words(cast: Cast, running: None) -> None:
    part = await run(await signed_in(cast.bob), "int main() { return nothing; }", "g++-15")
    assert "did not compile" in part.text
    assert "nothing" in texts(part)["data-error"]
    assert strip(part).keys() == {"exit", "compile", "memory"}


async def test_a_crash_shows_its_signal(cast: Cast, running: None) -> None:
    part = await run(await signed_in(cast.bob), "int main(void) { *(volatile int *)0 = 1; }", "gcc-15")
    assert (strip(part)["exit"], strip(part)["signal"]) == ("139", "11")


async def test_output_is_inert(cast: Cast, running: None) -> None:
    client = await signed_in(cast.bob)
    code = "print('<script>alert(1)</script><img src=x onerror=alert(1)>\\x1b[31m')"
    response = await client.post(RUN, {"compiler": "python-3.14", "code": code}, headers=HTMX)
    assert "<script>" not in response.content.decode()
    assert "<img" not in response.content.decode()


async def test_much_output_is_cut(cast: Cast, running: None) -> None:
    part = await run(await signed_in(cast.bob), "print('x' * 200_000)")
    assert len(texts(part)["data-output"]) == 64 * 1024
    assert "Only the beginning is shown." in part.text


async def test_silence_is_told(cast: Cast, running: None) -> None:
    assert "It printed nothing." in (await run(await signed_in(cast.bob), "pass")).text


async def test_without_javascript_the_whole_page_comes_back(cast: Cast, running: None) -> None:
    client = await signed_in(cast.bob)
    response = await client.post(RUN, {"compiler": "gcc-15", "code": "int main(void) { return 7; }", "input": "in"})
    page = parse(response.content.decode())
    assert_sound(page)
    assert strip(page.one("div", id="result"))["exit"] == "7"
    assert page.one("textarea", name="code").text == "int main(void) { return 7; }"
    assert page.one("textarea", name="input").text == "in"
    assert "gcc-15" in [option["value"] for option in page.all("option") if "selected" in option.attributes]


# --- The same door as the API ---


async def test_a_run_counts_against_the_organisations_plan(cast: Cast, running: None) -> None:
    await run(await signed_in(cast.bob), "print(1)")
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 1
    assert (await ausage_of(cast.charlie.organisation.pk)).runs_used == 0
    overview = await (await signed_in(cast.alice)).get("/dashboard/")
    assert parse(overview.content.decode()).one("dd", data_runs_used="1").text == "1"


async def test_a_refused_request_says_why_and_counts_nothing(cast: Cast, running: None) -> None:
    client = await signed_in(cast.bob)
    part = await run(client, "x" * (100 * 1024 + 1))
    assert strip(part) == {"refused": "invalid"}
    assert "code:" in part.one("ul", class_="errorlist").text
    part = await run(client, "print(1)", "cobol")
    assert "cobol" in part.text
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 0


async def test_a_compiler_that_is_not_installed_says_so(
    cast: Cast, running: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where everything is installed, some of it stands in for what cannot be had.
    monkeypatch.setenv("RUNCODE_STAND_INS", "0")
    missing = next(compiler for compiler in COMPILERS if compiler not in installed(INSTALLED_TOOLCHAINS.parent))
    assert strip(await run(await signed_in(cast.bob), "x", missing)) == {"refused": "toolchain_unavailable"}


async def test_the_member_has_the_concurrency_of_a_key_of_their_own(cast: Cast, running: None) -> None:
    alice, bob = cast.alice, cast.bob
    plan = await plan_for(alice.organisation.pk)
    caller = Caller(organisation_id=alice.organisation.pk, key_id=-bob.user.pk, kind="api")
    async with AsyncExitStack() as stack:
        for _ in range(FREE.sync_concurrency):
            await stack.enter_async_context(admit_run(caller, plan, run_id=uuid4()))
        assert strip(await run(await signed_in(bob), "print(1)")) == {"refused": "concurrency_limit"}
        assert strip(await run(await signed_in(alice), "print(1)"))["exit"] == "0"


async def test_a_former_member_runs_nothing_for_the_organisation(cast: Cast, running: None) -> None:
    client = await signed_in(cast.bob)
    await sync_to_async(cast.bob.membership.delete)()
    await run(client, "print(1)")
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 0
    assert (await ausage_of(cast.bob.user.personal_organisation.pk)).runs_used == 1


async def test_a_run_whose_reader_leaves_is_not_counted(cast: Cast, running: None) -> None:
    client = await signed_in(cast.bob)
    task = asyncio.create_task(run(client, "import time\ntime.sleep(20)"))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 0
