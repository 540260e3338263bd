"""The dashboard's pages for runs and batches, and the page behind a share link."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from execution.models import Batch, Run, Share
from execution.models.packing import pack
from execution.sandbox.job import Outcome
from tests.cast import Cast, Person
from tests.history.conftest import MakeRun, request, result
from tests.pages.html import Element, parse
from tests.pages.test_every_page import assert_sound

RUNS = "/dashboard/runs/"


def page(client: Client, path: str = RUNS, **headers: str) -> Element:
    response = client.get(path, headers=headers)
    assert response.status_code == 200, path
    parsed = parse(response.content.decode())
    if not headers:
        assert_sound(parsed)
    return parsed


def listed(element: Element) -> list[str]:
    return [link.text for link in element.all("a", class_="runs__name")]


def make_batch(person: Person, *, tests: list[dict[str, Any]], **fields: Any) -> Batch:
    body = {"compiler": "python-3.14", "code": "print(input())", "args": ["-v"], "tests": tests}
    return Batch.objects.create(
        organisation=person.organisation,
        key_id=person.api_key_row.pk,
        key_kind="api",
        compiler="python-3.14",
        tests=len(tests),
        request=pack(body),
        **fields,
    )


# --- The list ---


def test_an_empty_history_says_what_will_stand_there(cast: Cast) -> None:
    assert "Nothing has run yet." in page(cast.alice.client).one("section", id="runs").text


def test_it_lists_the_newest_first_a_page_at_a_time(cast: Cast, make_run: MakeRun) -> None:
    made = [make_run(cast.alice).pk for _ in range(31)]
    first = page(cast.alice.client)
    assert listed(first) == [f"Run {pk}" for pk in made[:0:-1]]
    older = first.one("a", rel="next")["href"]
    second = page(cast.alice.client, RUNS + older)
    assert listed(second) == [f"Run {made[0]}"]
    assert not second.all("a", rel="next")


def test_it_filters_and_htmx_gets_the_list_alone(cast: Cast, make_run: MakeRun) -> None:
    make_run(cast.alice)
    failed = make_run(cast.alice, result=result(outcome=Outcome.TIME_LIMIT, exit_code=124), key_id=77)
    address = f"{RUNS}?compiler=&outcome=time_limit&from=2020-01-01"
    whole = page(cast.alice.client, address)
    assert listed(whole) == [f"Run {failed.pk}"]
    assert [
        option["value"] for option in whole.one("select", id="outcome").all("option") if "selected" in option.attributes
    ] == ["time_limit"]
    assert whole.one("input", id="from")["value"] == "2020-01-01"
    part = page(cast.alice.client, address, **{"HX-Request": "true"})
    assert (listed(part), part.all("html")) == ([f"Run {failed.pk}"], [])
    assert "No run is like that." in page(cast.alice.client, f"{RUNS}?compiler=g%2B%2B-15").text


def test_a_filter_that_makes_no_sense_is_told(cast: Cast, make_run: MakeRun) -> None:
    make_run(cast.alice)
    assert "to: Must be a date" in page(cast.alice.client, f"{RUNS}?to=soon").text


def test_tests_of_batches_stand_with_their_batch(cast: Cast, make_run: MakeRun) -> None:
    batch = make_batch(cast.alice, tests=[{}], status="finished")
    case = make_run(cast.alice, batch=batch, position=0, surface="batch")
    alone = make_run(cast.alice)
    assert listed(page(cast.alice.client)) == [f"Run {alone.pk}"]
    assert listed(page(cast.alice.client, f"{RUNS}?surface=batch")) == [f"Run {case.pk}"]


# --- The inspector ---


def test_it_shows_what_was_asked_and_what_came_of_it(cast: Cast, make_run: MakeRun) -> None:
    asked = request(
        "import sys\nprint(input())",
        input="né\n",
        files={"notes.txt": "one"},
        args=["a b"],
        env={"NAME": "it's"},
        time_limit=2.5,
        memory_limit=64,
    )
    run = make_run(cast.alice, request=pack(asked.to_data()), result=result(stdout=b"\xff!", stderr=b"oops"))
    inspector = page(cast.alice.client, f"{RUNS}{run.pk}/")
    assert [block.text for block in inspector.all("figcaption")] == ["main.py", "notes.txt", "Shell"]
    assert "print(input())" in inspector.all("figure")[0].text
    assert inspector.all("figure")[0].all("span", class_="kn")
    text = inspector.text
    for shown in ("né", "\ufffd!", "oops", "'a b'", "2.5 s", "64 MB", "0.2500 s", "8.0 MB"):
        assert shown in text, shown


def test_it_can_be_copied_as_curl(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.alice, request=pack(request("print('it\\'s')", input="é").to_data()))
    shell = page(cast.alice.client, f"{RUNS}{run.pk}/").all("figure")[-1].one("code").text
    assert shell.startswith("curl -X POST http://localhost:8000/api/run-code-sync/ ")
    assert '"Authorization: $API_KEY"' in shell
    assert r"""'{"compiler": "python-3.14", "code": "print('"'"'it\\'"'"'s'"'"')", """ in shell


def test_what_is_not_kept_is_told(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.alice, request=None)
    Run.objects.filter(pk=run.pk).update(stdout=None, stderr=None, compile_output=None)
    inspector = page(cast.alice.client, f"{RUNS}{run.pk}/")
    assert "The program is not kept." in inspector.text
    assert "What it printed is not kept." in inspector.text
    assert not inspector.all("form", action=f"{RUNS}{run.pk}/again/")


def test_programs_and_outputs_are_inert(cast: Cast, make_run: MakeRun) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    asked = request(f"print('{evil}')", input=evil, files={"a.html": evil, "x.svg": evil}, args=[evil])
    printed = result(stdout=f"{evil}\x1b]0;title\x07\x1b[2J\0".encode(), stderr=evil.encode())
    run = make_run(cast.alice, request=pack(asked.to_data()), result=printed)
    Share.objects.create(run=run, token="t")
    for path in (f"{RUNS}{run.pk}/", "/r/t/"):
        text = cast.alice.client.get(path).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "\x1b" not in text
        assert "␛]0;title␇␛[2J␀" in text
        page(cast.alice.client, path)


def test_a_run_that_has_not_ended_is_asked_for_until_it_has(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.alice, status="queued", surface="async")
    state = page(cast.alice.client, f"{RUNS}{run.pk}/").one("div", id="state")
    assert (state["hx-trigger"], state["data-status"]) == ("every 1s", "queued")
    assert "It waits for its turn." in state.text
    Run.objects.filter(pk=run.pk).update(status="finished", refusal_code="run_quota", refusal="All runs are used.")
    part = page(cast.alice.client, f"{RUNS}{run.pk}/", **{"HX-Request": "true"}).one("div", id="state")
    assert not part.get("hx-trigger")
    assert "All runs are used." in part.text


def test_a_run_can_be_cancelled_and_removed(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.alice, status="queued", surface="async")
    cast.alice.client.post(f"{RUNS}{run.pk}/remove/")
    assert Run.objects.filter(pk=run.pk).exists()
    cast.alice.client.post(f"{RUNS}{run.pk}/cancel/")
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert cast.alice.client.post(f"{RUNS}{run.pk}/remove/")["Location"] == RUNS
    assert not Run.objects.exists()


def test_a_program_of_one_file_opens_in_the_playground(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.alice, request=pack(request("print(12345)", input="typed").to_data()))
    link = [a["href"] for a in page(cast.alice.client, f"{RUNS}{run.pk}/").all("a") if "?run=" in a["href"]]
    assert link == [f"/playground/?run={run.pk}"]
    play = page(cast.alice.client, link[0])
    assert (play.one("textarea", id="code").text, play.one("textarea", id="input").text) == ("print(12345)", "typed")
    assert "12345" not in page(cast.charlie.client, link[0]).text
    several = make_run(cast.alice, request=pack(request(files={"b.py": ""}).to_data()))
    assert not [a for a in page(cast.alice.client, f"{RUNS}{several.pk}/").all("a") if "?run=" in a["href"]]


# --- Sharing ---


def test_a_link_shows_the_run_to_anybody_until_it_is_taken_back(cast: Cast, make_run: MakeRun, client: Client) -> None:
    run = make_run(cast.alice)
    cast.bob.client.post(f"{RUNS}{run.pk}/share/")
    share = Share.objects.get()
    assert (share.created_by, len(share.token)) == (cast.bob.user, 32)
    cast.alice.client.post(f"{RUNS}{run.pk}/share/")
    assert Share.objects.get().token == share.token
    path = f"/r/{share.token}/"
    assert f"http://localhost:8000{path}" in page(cast.alice.client, f"{RUNS}{run.pk}/").text
    response = client.get(path)
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    shared = page(client, path)
    assert "42" in shared.one("pre", class_="play__text").text
    for secret in (cast.alice.organisation.name, cast.alice.email, str(cast.alice.api_key_row.pk) + " "):
        assert secret not in shared.one("main").text
    assert not shared.one("main").all("form")
    cast.alice.client.post(f"{RUNS}{run.pk}/unshare/")
    assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_links_that_lead_nowhere(client: Client) -> None:
    for token in ("x", "x" * 500, "%00"):
        assert client.get(f"/r/{token}/").status_code == 404


# --- Batches ---


def test_batches_and_their_tests(cast: Cast, make_run: MakeRun) -> None:
    assert "No batch yet." in page(cast.alice.client, "/dashboard/batches/").text
    batch = make_batch(
        cast.alice,
        tests=[{"input": "a"}, {"input": "b", "time_limit": 1}],
        status="finished",
        verdict="wrong_answer",
        done=2,
        accepted=1,
        score=0.5,
        compile_output=b"<b>warning</b>",
    )
    for position, verdict in enumerate(("accepted", "wrong_answer")):
        make_run(cast.alice, batch=batch, position=position, surface="batch", verdict=verdict, request=None)
    row = page(cast.alice.client, "/dashboard/batches/").one("li", class_="runs__row")
    for shown in (f"Batch {batch.pk}", "wrong answer", "2 of 2", "50 %"):
        assert shown in row.text
    whole = page(cast.alice.client, f"/dashboard/batches/{batch.pk}/")
    assert listed(whole) == ["Test 0", "Test 1"]
    assert "<b>warning</b>" in whole.text
    case = batch.cases.get(position=1)
    inspector = page(cast.alice.client, f"{RUNS}{case.pk}/")
    assert "print(input())" in inspector.text
    assert re.search(r"arguments\s*-v", inspector.text)
    assert re.search(r"time limit\s*1 s", inspector.text)


def test_a_large_batch_is_shown_a_page_at_a_time(cast: Cast, make_run: MakeRun) -> None:
    batch = make_batch(cast.alice, tests=[{}] * 150, status="finished")
    for position in range(150):
        make_run(cast.alice, batch=batch, position=position, surface="batch", request=None)
    first = page(cast.alice.client, f"/dashboard/batches/{batch.pk}/")
    assert len(listed(first)) == 100
    second = page(cast.alice.client, f"/dashboard/batches/{batch.pk}/{first.one('a', rel='next')['href']}")
    assert listed(second)[0] == "Test 100"
    assert len(listed(second)) == 50


def test_a_batch_can_be_cancelled(cast: Cast) -> None:
    batch = make_batch(cast.alice, tests=[{}], asynchronous=True)
    state = page(cast.alice.client, f"/dashboard/batches/{batch.pk}/").one("div", id="state")
    assert state["hx-trigger"] == "every 1s"
    cast.alice.client.post(f"/dashboard/batches/{batch.pk}/cancel/")
    batch.refresh_from_db()
    assert batch.status == "cancelled"


# --- Strangers ---

OF_RUN = ["", "again/", "cancel/", "remove/", "share/", "unshare/"]


def test_a_strangers_run_is_not_found(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.charlie)
    share = Share.objects.create(run=run)
    for action in OF_RUN:
        client = cast.alice.client
        answer = client.post(f"{RUNS}{run.pk}/{action}") if action else client.get(f"{RUNS}{run.pk}/")
        assert answer.status_code == 404, action
    assert f"Run {run.pk}" not in page(cast.alice.client).text
    assert Share.objects.get() == share
    assert Run.objects.get() == run


def test_a_strangers_batch_is_not_found(cast: Cast, make_run: MakeRun) -> None:
    batch = make_batch(cast.charlie, tests=[{}], asynchronous=True)
    make_run(cast.charlie, batch=batch, position=0, surface="batch")
    assert cast.alice.client.get(f"/dashboard/batches/{batch.pk}/").status_code == 404
    assert cast.alice.client.post(f"/dashboard/batches/{batch.pk}/cancel/").status_code == 404
    assert not listed(page(cast.alice.client, f"{RUNS}?batch={batch.pk}"))
    assert "No batch yet." in page(cast.alice.client, "/dashboard/batches/").text


@pytest.mark.parametrize("path", [RUNS, f"{RUNS}1/", "/dashboard/batches/", "/dashboard/batches/1/"])
@pytest.mark.django_db
def test_the_signed_out_are_sent_to_sign_in(client: Client, path: str) -> None:
    assert client.get(path)["Location"] == f"/accounts/login/?next={path}"


def test_ids_that_no_column_holds_are_not_found(cast: Cast) -> None:
    for path in (f"{RUNS}{'9' * 30}/", f"/dashboard/batches/{'9' * 30}/"):
        assert cast.alice.client.get(path).status_code == 404


def test_old_runs_show_the_day(cast: Cast, make_run: MakeRun) -> None:
    run = make_run(cast.alice, created_at=timezone.now() - timedelta(days=400))
    assert f"{run.created_at:%Y}" in page(cast.alice.client, f"{RUNS}{run.pk}/").text
