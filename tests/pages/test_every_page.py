"""What holds for every page: it answers in each role, stands under the strict policy, and is sound HTML."""

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from execution.pages_docs import CHAPTERS
from tests.cast import Cast, Person
from tests.pages.html import Element, parse

DOCS = [f"/docs/{slug}/" for _, slugs in CHAPTERS for slug in slugs]
PUBLIC = ["/", "/pricing/", "/docs/", *DOCS]
ENTRANCE = ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]
MEMBER = [
    "/dashboard/",
    "/dashboard/keys/",
    "/dashboard/websocket-keys/",
    "/dashboard/widgets/",
    "/dashboard/runs/",
    "/dashboard/batches/",
    "/dashboard/contexts/",
    "/dashboard/console/",
    "/dashboard/settings/",
    "/playground/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/logout/",
    "/accounts/2fa/",
]
ADMIN = ["/dashboard/secret/"]
OWNER = ["/dashboard/secret/rotate/"]


def get(client: Client, path: str) -> Element:
    response = client.get(path)
    assert response.status_code == 200, path
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    page = parse(response.content.decode())
    assert_sound(page)
    return page


def assert_sound(page: Element) -> None:
    """Nothing inline, one main heading, labels on all fields, every referenced id and static file there."""
    elements = list(page.walk())
    ids = [element["id"] for element in elements if element.get("id")]
    assert len(ids) == len(set(ids)), f"an id stands twice: {sorted(i for i in ids if ids.count(i) > 1)}"
    assert page.one("html")["lang"] == "en"
    assert page.one("title").text
    assert len(page.all("h1")) == 1
    assert page.one("main")["id"] == "main"
    assert page.one("a", class_="skip")["href"] == "#main"
    labelled = {label.get("for") for label in page.all("label")}
    for element in elements:
        assert element.get("style") is None, f"<{element.tag}> has an inline style"
        assert not [name for name in element.attributes if name.startswith("on")], f"<{element.tag}> has a handler"
        if element.tag == "style":
            pytest.fail("an inline style sheet")
        if element.tag == "script" and element.get("type") != "application/json":
            assert element.get("src"), "an inline script"
        if element.tag in {"input", "select", "textarea"} and element.get("type") not in {"hidden", "submit"}:
            named = element.get("id") in labelled or element.get("aria-label")
            assert named or "hidden" in element.attributes, f"a field without a label: {element.attributes}"
        if element.tag == "button":
            assert element.text or element.get("aria-label"), "a button without a name"
        for name in ("aria-labelledby", "aria-describedby", "for", "form"):
            for reference in (element.get(name) or "").split():
                assert reference in ids, f"{name} of <{element.tag}> leads to no element: {reference}"
        for name in ("src", "href"):
            target = element.get(name) or ""
            assert not target.startswith(("http:", "//")) or target.startswith(settings.PUBLIC_URL), target
            if target.startswith(settings.STATIC_URL):
                assert finders.find(target.removeprefix(settings.STATIC_URL)), f"no such static file: {target}"


@pytest.mark.parametrize("path", [*PUBLIC, *ENTRANCE])
@pytest.mark.django_db
def test_anybody_can_open_it(client: Client, path: str) -> None:
    get(client, path)


@pytest.mark.parametrize("path", [*PUBLIC, *MEMBER])
@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_every_member_can_open_it(cast: Cast, name: str, path: str) -> None:
    person: Person = getattr(cast, name)
    page = get(person.client, path)
    assert page.all("form", action="/accounts/logout/")


@pytest.mark.parametrize("path", [*MEMBER, *ADMIN, *OWNER])
@pytest.mark.django_db
def test_it_sends_the_signed_out_to_the_sign_in_page_and_back(client: Client, path: str) -> None:
    response = client.get(path)
    if path == "/accounts/logout/":
        assert response.status_code == 302
        return
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=" + path)


@pytest.mark.parametrize("path", ADMIN)
@pytest.mark.parametrize("role", ["owner", "admin"])
def test_admins_can_open_it(cast: Cast, role: str, path: str) -> None:
    cast.bob.membership.role = role
    cast.bob.membership.save()
    get(cast.bob.client, path)


@pytest.mark.parametrize(("path", "role"), [(path, "member") for path in [*ADMIN, *OWNER]] + [(OWNER[0], "admin")])
def test_a_lower_role_is_refused(cast: Cast, role: str, path: str) -> None:
    cast.bob.membership.role = role
    cast.bob.membership.save()
    response = cast.bob.client.get(path)
    assert response.status_code == 403
    assert_sound(parse(response.content.decode()))


@pytest.mark.parametrize("name", ["alice", "charlie"])
def test_owners_can_open_it(cast: Cast, name: str) -> None:
    get(getattr(cast, name).client, OWNER[0])


def test_no_template_has_inline_style_script_or_handler() -> None:
    for path in Path(settings.BASE_DIR, "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for forbidden in (" style=", "<style", " onclick=", " onsubmit=", "javascript:", "http://", "//cdn"):
            assert forbidden not in text, f"{path}: {forbidden}"


def test_links_between_pages_lead_somewhere(cast: Cast) -> None:
    """Follows every link of every page, as the owner sees them."""
    seen: set[str] = set()
    for path in [*PUBLIC, *MEMBER, *ADMIN, *OWNER]:
        for link in get(cast.alice.client, path).all("a"):
            target = link["href"].split("#")[0].split("?")[0]
            if target.startswith("/") and target not in seen:
                seen.add(target)
                status = cast.alice.client.get(target).status_code
                assert status in {200, 302}, f"{target}, linked from {path}: {status}"
    assert reverse("mfa_index") in seen
