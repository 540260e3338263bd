"""The documentation is true: it renders, its links lead somewhere, and what exists stands in it."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from billing.plans import FREE, MIB, PLANS
from execution.catalogue import COMPILERS, installed
from execution.openapi.reference import reference
from execution.pages_docs import CHAPTERS, load
from tests.cast import Cast
from tests.pages.html import Element, parse

FOLDER = Path(settings.BASE_DIR) / "docs"
SLUGS = [slug for _, slugs in CHAPTERS for slug in slugs]
TEXT = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}


def page(client: Client, slug: str) -> Element:
    response = client.get(f"/docs/{slug}/")
    assert response.status_code == 200
    return parse(response.content.decode())


def test_every_file_is_a_page() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.md")) == sorted(SLUGS)


@pytest.mark.parametrize("slug", SLUGS)
def test_it_has_a_title_and_a_summary(slug: str) -> None:
    document = load(slug)
    assert document.title
    assert len(document.summary) > 40


@pytest.mark.django_db
def test_the_index_lists_every_page(client: Client) -> None:
    index = parse(client.get("/docs/").content.decode())
    listed = {link["href"] for link in index.one("main").all("a")}
    assert {f"/docs/{slug}/" for slug in SLUGS} <= listed


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.django_db
def test_no_placeholder_and_no_address_is_left_open(client: Client, slug: str) -> None:
    text = client.get(f"/docs/{slug}/").content.decode()
    assert "$BASE" not in text
    assert "{{" not in text
    assert "<!--" not in text


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.django_db
def test_links_inside_the_documentation_lead_to_a_heading_that_exists(client: Client, slug: str) -> None:
    for link in page(client, slug).one("main").all("a"):
        path, _, anchor = link["href"].partition("#")
        if path and not path.startswith("/docs/"):
            continue
        target = re.fullmatch(r"/docs/([a-z-]+)/", path)
        if anchor:
            slug_of_target = target[1] if target else slug
            anchors = {heading.anchor for heading in load(slug_of_target).headings}
            if slug_of_target == "api":
                # Below it stands the reference, which is made from the OpenAPI document.
                anchors |= set(re.findall(r' id="([\w-]+)"', reference()))
            assert anchor in anchors, link["href"]


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.django_db
def test_links_out_of_the_documentation_lead_to_a_path_that_exists(client: Client, slug: str) -> None:
    for link in page(client, slug).one("main").all("a"):
        path = link["href"].partition("#")[0].partition("?")[0]
        if path.startswith("/"):
            assert client.get(path).status_code in {200, 302}, path


@pytest.mark.django_db
def test_unknown_pages_are_not_found(client: Client) -> None:
    assert client.get("/docs/nothing/").status_code == 404
    assert client.get("/docs/nothing.md").status_code == 404


@pytest.mark.django_db
def test_a_page_is_there_as_markdown_too(client: Client) -> None:
    response = client.get("/docs/quickstart.md")
    assert response["Content-Type"] == "text/markdown; charset=utf-8"
    text = response.content.decode()
    assert text.startswith("# Quick start")
    assert f"curl -X POST {settings.PUBLIC_URL}/api/run-code-sync/" in text


@pytest.mark.django_db
def test_tables_of_data_are_pointed_to_in_markdown(client: Client) -> None:
    text = client.get("/docs/limits.md").content.decode()
    assert f"(The table of plans stands at {settings.PUBLIC_URL}/docs/limits/.)" in text
    assert "```data" not in text


# --- What exists stands in a page ---


@pytest.mark.django_db
def test_every_compiler_stands_in_a_page_with_whether_it_runs_here(client: Client) -> None:
    here = installed(settings.RUNCODE_HOME)
    rows = {row.one("code").text: row.text for row in page(client, "today").one("tbody").all("tr")}
    assert list(rows) == list(COMPILERS)
    for compiler, text in rows.items():
        assert (f"available {here[compiler].version}" if compiler in here else "not installed") in text


def test_every_setting_stands_on_the_settings_page() -> None:
    source = Path(settings.BASE_DIR, "config", "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    assert "RUNCODE_PUBLIC_URL" in read
    missing = [name for name in sorted(read) if f"`{name}`" not in TEXT["settings"]]
    assert not missing


def _routes(resolver: URLResolver, prefix: str = "") -> list[str]:
    found: list[str] = []
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern).removeprefix("^").removesuffix("$").removesuffix("/?")
        if isinstance(entry, URLPattern):
            found.append("/" + route)
        else:
            found += _routes(entry, route)
    return found


def test_every_endpoint_for_programs_stands_in_a_page() -> None:
    paths = {re.sub(r"\(\?P<\w+>.*", "", route) for route in _routes(get_resolver())}
    endpoints = sorted(path for path in paths if path.startswith(("/api/", "/cus/", "/healthz", "/readyz", "/v1/")))
    assert "/api/run-code-sync" in endpoints
    missing = [path for path in endpoints if path not in "".join(TEXT.values())]
    assert not missing


def test_every_error_code_stands_on_the_errors_page() -> None:
    apps = [Path(settings.BASE_DIR, app) for app in ("config", "accounts", "billing", "execution", "widgets")]
    text = "".join(path.read_text(encoding="utf-8") for app in apps for path in app.rglob("*.py"))
    patterns = (r'status, code = \d+, "([a-z_]+)"', r'code="([a-z_]+)"', r'code, wait = "([a-z_]+)"')
    codes = {code for pattern in patterns for code in re.findall(pattern, text)}
    assert {"invalid", "unauthenticated", "concurrency_limit", "rate_limit", "run_quota", "key_unknown"} <= codes
    codes.remove("unauthenticated")  # always narrowed to what was wrong with the key
    missing = [code for code in sorted(codes) if f"`{code}`" not in TEXT["errors"]]
    assert not missing


def test_the_limits_page_tells_the_limits_of_the_free_plan() -> None:
    limits = FREE.limits
    rows = dict(re.findall(r"^\| ([\w ]+?) \| (.+?) \|", TEXT["limits"], re.MULTILINE))
    assert rows["memory"] == f"{limits.memory_bytes // MIB} MB"
    assert rows["processor"] == f"{limits.cpu_cores:.0f} cores"
    assert rows["time"] == f"{limits.wall_seconds:.0f} s"
    assert rows["compilation"].startswith(f"{limits.compile_seconds:.0f} s,")
    assert rows["processes and threads"] == str(limits.processes)
    assert rows["output that is kept"].startswith(f"{limits.output_bytes // MIB} MB")
    assert rows["disk"].endswith(f"{limits.work_bytes // MIB} MB")


@pytest.mark.django_db
def test_the_limits_page_shows_every_plan(client: Client) -> None:
    table = page(client, "limits").one("div", class_="scroll plans")
    assert [cell.text for cell in table.one("thead").all("th")] == ["What", *(plan.name for plan in PLANS)]
    assert [cell.text for cell in table.all("tr")[2].all("td")] == [f"{plan.runs_per_month:,}" for plan in PLANS]


# --- The reader's key ---


@pytest.mark.django_db
def test_somebody_signed_out_is_told_how_to_get_a_key(client: Client) -> None:
    bar = page(client, "quickstart").one("div", class_="notice reader")
    assert {link["href"] for link in bar.all("a")} == {"/accounts/signup/", "/accounts/login/?next=/docs/quickstart/"}


def test_an_owner_can_make_a_key_in_place(cast: Cast) -> None:
    bar = page(cast.alice.client, "quickstart").one("div", class_="notice reader")
    assert bar.one("form")["action"] == "/dashboard/keys/example/"


def test_a_member_is_told_whom_to_ask(cast: Cast) -> None:
    bar = page(cast.bob.client, "quickstart").one("div", class_="notice reader")
    assert not bar.all("form")
    assert cast.bob.organisation.name in bar.text


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_no_page_contains_a_key_or_a_secret(cast: Cast, name: str) -> None:
    person = getattr(cast, name)
    for slug in SLUGS:
        text = person.client.get(f"/docs/{slug}/").content.decode()
        assert person.api_key not in text
        assert person.organisation.secret not in text
