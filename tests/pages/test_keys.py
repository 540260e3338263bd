"""The dashboard's pages for keys of both kinds."""

from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.keys import digest_of
from accounts.models import ApiKey, Membership, Organisation
from tests.cast import Cast, Person
from tests.pages.html import Element, parse

HTMX = {"HX-Request": "true"}
KINDS = ["keys", "websocket-keys"]


def page(client: Client, path: str, **headers: str) -> Element:
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    return parse(response.content.decode())


def make(client: Client, kind: str = "keys", **fields: str) -> HttpResponse:
    return client.post(f"/dashboard/{kind}/", {"name": "Judge", **fields}, headers=HTMX)  # type: ignore[return-value]


def key_id(person: Person, kind: str) -> int:
    return (person.api_key_row if kind == "keys" else person.websocket_key_row).pk


def promote(person: Person, role: str) -> Person:
    person.membership.role = role
    person.membership.save()
    return person


def made_key(response: HttpResponse) -> str:
    return parse(response.content.decode()).one("section", class_="notice notice--success").one("code").text


# --- Making ---


def test_a_new_api_key_is_shown_once(cast: Cast) -> None:
    response = make(cast.alice.client)
    plain = made_key(response)
    assert plain.startswith("rk_")
    assert "no-store" in response["Cache-Control"]
    assert ApiKey.objects.get(name="Judge").digest == digest_of(plain)
    assert plain not in cast.alice.client.get("/dashboard/keys/").content.decode()


def test_it_is_made_without_javascript_too(cast: Cast) -> None:
    response = cast.alice.client.post("/dashboard/keys/", {"name": "Judge"})
    assert parse(response.content.decode()).one("title")
    assert made_key(response) in response.content.decode()  # type: ignore[arg-type]


def test_it_belongs_to_the_current_organisation_and_its_maker(cast: Cast) -> None:
    promote(cast.bob, Membership.Role.ADMIN)
    make(cast.bob.client)
    key = ApiKey.objects.get(name="Judge")
    assert (key.organisation, key.created_by) == (cast.alice.organisation, cast.bob.user)


def test_it_keeps_the_restrictions(cast: Cast) -> None:
    expires = (timezone.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    make(
        cast.alice.client,
        networks="203.0.113.7\n2001:db8::/32",
        origins="https://example.com, *.example.org",
        expires_at=f"{expires:%Y-%m-%dT%H:%M}",
        redirect_url="https://example.com/results",
    )
    key = ApiKey.objects.get(name="Judge")
    assert key.networks == ["203.0.113.7/32", "2001:db8::/32"]
    assert key.origins == ["https://example.com", "*.example.org"]
    assert key.expires_at == expires
    assert key.redirect_url == "https://example.com/results"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("networks", "203.0.113.0/33"),
        ("origins", "https://example.com/path"),
        ("expires_at", "2001-01-01T00:00"),
        ("redirect_url", "ftp://example.com"),
    ],
)
def test_it_refuses_bad_input_at_the_field(cast: Cast, field: str, value: str) -> None:
    before = ApiKey.objects.count()
    response = make(cast.alice.client, **{field: value})
    section = parse(response.content.decode())
    assert section.one("ul", id=f"id_{field}_error").text
    invalid = [one for one in section.walk() if one.get("id") == f"id_{field}"]
    assert invalid[0].get("aria-invalid") == "true"
    assert ApiKey.objects.count() == before
    if field not in {"name", "redirect_url"}:
        assert "open" in section.all("details")[0].attributes


def test_a_websocket_key_stays_visible(cast: Cast) -> None:
    make(cast.alice.client, "websocket-keys")
    value = cast.alice.organisation.websocket_keys.get(name="Judge").value
    assert value in cast.alice.client.get("/dashboard/websocket-keys/").content.decode()


def test_a_name_is_no_markup(cast: Cast) -> None:
    response = make(cast.alice.client, name="<b>x</b>")
    assert "<b>x</b>" not in response.content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;" in response.content.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_may_look_but_not_make(cast: Cast, kind: str) -> None:
    main = page(cast.bob.client, f"/dashboard/{kind}/").one("main")
    assert not [form for form in main.all("form") if "organisation" not in form["action"]]
    assert not [link for link in main.all("a") if link["href"].endswith("/revoke/")]
    assert "Bob's" in main.text
    assert make(cast.bob.client, kind).status_code == 403
    assert not cast.bob.organisation.api_keys.filter(name="Judge").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_the_list_shows_no_stranger(cast: Cast, kind: str) -> None:
    text = page(cast.alice.client, f"/dashboard/{kind}/").text
    assert "Alice's" in text
    assert "Charlie" not in text


def test_it_asks_for_the_form_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post("/dashboard/keys/", {"name": "Judge"}).status_code == 403


# --- The key for the examples ---


def test_an_example_key_works(cast: Cast) -> None:
    response = cast.alice.client.post("/dashboard/keys/example/")
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    assert cast.alice.organisation.api_keys.live().get(digest=digest_of(response.json()["key"]))


def test_a_member_gets_no_example_key(cast: Cast) -> None:
    assert cast.bob.client.post("/dashboard/keys/example/").status_code == 403


def test_an_example_key_is_only_made_by_a_post(cast: Cast) -> None:
    assert cast.alice.client.get("/dashboard/keys/example/").status_code == 405


# --- Changing ---


@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_renamed_and_restricted(cast: Cast, kind: str) -> None:
    path = f"/dashboard/{kind}/{key_id(cast.alice, kind)}/"
    assert page(cast.alice.client, path).one("input", name="name")["value"].startswith("Alice's")
    response = cast.alice.client.post(path, {"name": "New", "networks": "203.0.113.0/24"}, follow=True)
    assert "“New” is changed" in response.content.decode()
    rows: list[ApiKey] = list(
        getattr(cast.alice.organisation, f"{'api' if kind == 'keys' else 'websocket'}_keys").all()
    )
    assert next(row for row in rows if row.name == "New").networks == ["203.0.113.0/24"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ["", "revoke/"])
def test_a_strangers_key_is_not_found(cast: Cast, kind: str, action: str) -> None:
    path = f"/dashboard/{kind}/{key_id(cast.charlie, kind)}/{action}"
    assert cast.alice.client.get(path).status_code == 404
    assert cast.alice.client.post(path, {"name": "Mine"}).status_code == 404
    cast.charlie.api_key_row.refresh_from_db()
    cast.charlie.websocket_key_row.refresh_from_db()
    assert cast.charlie.api_key_row.revoked_at is None
    assert cast.charlie.websocket_key_row.revoked_at is None
    assert cast.charlie.api_key_row.name == "Charlie's API key"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ["", "revoke/"])
def test_a_member_may_neither_change_nor_revoke(cast: Cast, kind: str, action: str) -> None:
    path = f"/dashboard/{kind}/{key_id(cast.bob, kind)}/{action}"
    assert cast.bob.client.get(path).status_code == 403
    assert cast.bob.client.post(path, {"name": "Mine"}).status_code == 403
    cast.bob.api_key_row.refresh_from_db()
    assert cast.bob.api_key_row.revoked_at is None


# --- Revoking ---


@pytest.mark.parametrize("kind", KINDS)
def test_it_asks_before_it_revokes(cast: Cast, kind: str) -> None:
    path = f"/dashboard/{kind}/{key_id(cast.alice, kind)}/revoke/"
    assert page(cast.alice.client, path).one("main").all("form")
    row = page(cast.alice.client, path, **HTMX).one("form", class_="confirm")
    assert row["hx-post"] == path
    cast.alice.api_key_row.refresh_from_db()
    assert cast.alice.api_key_row.revoked_at is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_revoked_key_is_listed_among_the_ended(cast: Cast, kind: str) -> None:
    path = f"/dashboard/{kind}/{key_id(cast.alice, kind)}/revoke/"
    response = cast.alice.client.post(path, follow=True)
    assert "is revoked" in response.content.decode()
    ended = parse(response.content.decode()).one("details", class_="ended")
    assert "Alice's" in ended.text
    assert not ended.all("a")
    assert cast.alice.client.get(path.removesuffix("revoke/")).status_code == 404


def test_the_message_of_a_revocation_is_shown_within_the_list(cast: Cast) -> None:
    """htmx puts only the list in place."""
    path = f"/dashboard/keys/{cast.alice.api_key_row.pk}/revoke/"
    response = cast.alice.client.post(path, follow=True, headers=HTMX)
    listed = parse(response.content.decode()).one("div", id="key-list")
    assert "is revoked" in listed.text


def test_an_expired_key_is_told_apart(cast: Cast) -> None:
    ApiKey.objects.filter(pk=cast.alice.api_key_row.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    ended = page(cast.alice.client, "/dashboard/keys/").one("details", class_="ended")
    assert ended.one("span", class_="badge badge--warning").text == "expired"


def test_a_member_of_two_organisations_sees_the_keys_of_the_current_one(cast: Cast) -> None:
    other = Organisation.objects.create(name="Other")
    Membership.objects.create(user=cast.alice.user, organisation=other, role=Membership.Role.OWNER)
    response = cast.alice.client.post("/dashboard/organisation/", {"organisation": other.pk}, follow=True)
    assert parse(response.content.decode()).one("h1").text == "Other"
    assert "No key yet" in page(cast.alice.client, "/dashboard/keys/").text
    assert cast.alice.client.get(f"/dashboard/keys/{cast.alice.api_key_row.pk}/").status_code == 404
