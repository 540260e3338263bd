"""The small files of a site, the front page, the prices, and the error pages."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from billing.plans import FREE, PLANS
from execution.catalogue import COMPILERS, installed
from tests.cast import PASSWORD, Cast
from tests.pages.html import parse
from tests.pages.test_every_page import assert_sound
from tests.settings import INSTALLED_TOOLCHAINS


def test_robots_stay_out_of_what_is_private(client: Client) -> None:
    lines = client.get("/robots.txt").content.decode().splitlines()
    assert lines[0] == "User-agent: *"
    assert {"Disallow: /dashboard/", "Disallow: /cus/"} <= set(lines)
    assert "Disallow: /" not in lines


def test_old_browsers_find_the_icon(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"] == "/static/img/favicon.svg"


def test_there_is_no_security_contact_unless_one_is_named(client: Client, settings: object) -> None:
    assert client.get("/.well-known/security.txt").status_code == 404


def test_the_security_contact_is_told(client: Client, settings: object) -> None:
    settings.SECURITY_CONTACT = "mailto:security@example.org"  # type: ignore[attr-defined]
    lines = client.get("/.well-known/security.txt").content.decode().splitlines()
    assert lines[0] == "Contact: mailto:security@example.org"
    assert lines[1].startswith("Expires: 20")
    assert lines[1].endswith("Z")


def test_the_front_page_lists_what_is_installed(client: Client, db: None) -> None:
    page = parse(client.get("/").content.decode())
    listed = [row.one("code").text for row in page.one("tbody").all("tr")]
    assert listed == list(installed(INSTALLED_TOOLCHAINS.parent))
    assert set(listed) <= set(COMPILERS)


def test_the_front_page_tells_the_free_runs(client: Client, db: None) -> None:
    assert f"{FREE.runs_per_month:,} runs a month are free." in parse(client.get("/").content.decode()).text


def test_the_prices_are_those_of_the_plans(client: Client, db: None) -> None:
    cards = parse(client.get("/pricing/").content.decode()).one("ul", class_="plan-cards").all("li")
    assert [card.one("h2").text for card in cards] == [plan.name for plan in PLANS]
    for card, plan in zip(cards, PLANS, strict=True):
        assert f"${plan.price_cents_month // 100:,} a month" in card.text
        assert f"{plan.runs_per_month:,} runs a month" in card.text


def test_only_what_can_be_had_is_offered(client: Client, db: None) -> None:
    cards = parse(client.get("/pricing/").content.decode()).one("ul", class_="plan-cards").all("li")
    assert [bool(card.all("a")) for card in cards] == [True, False, False, False]


# --- Errors ---


def test_a_missing_page_is_a_page(client: Client, db: None) -> None:
    response = client.get("/nothing/")
    assert response.status_code == 404
    page = parse(response.content.decode())
    assert_sound(page)
    assert page.one("h1").text == "There is nothing here"


@pytest.mark.parametrize("name", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_error_pages_need_no_request(name: str) -> None:
    """Django renders some of them without one."""
    assert_sound(parse(render_to_string(name)))


@pytest.mark.parametrize("name", ["403.html", "404.html"])
def test_error_pages_stand_with_a_request_too(name: str, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()
    assert_sound(parse(render_to_string(name, request=request)))


def test_a_form_that_expired_says_so(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    response = client.post("/dashboard/settings/", {"profile": ""})
    assert response.status_code == 403
    assert parse(response.content.decode()).one("h1").text == "This form has expired"


def test_too_many_wrong_passwords_lead_to_a_page_that_says_so(cast: Cast) -> None:
    client = Client()
    for _ in range(10):
        response = client.post("/accounts/login/", {"login": cast.alice.email, "password": "wrong"})
    assert response.status_code == 429
    page = parse(response.content.decode())
    assert_sound(page)
    assert page.one("h1").text == "Too many failed sign-ins"
    assert "15 minutes" in page.text
    response = client.post("/accounts/login/", {"login": cast.alice.email, "password": PASSWORD})
    assert response.status_code == 429
