"""The page of the account secret."""

from accounts.models import Membership
from tests.cast import Cast
from tests.pages.html import parse

HTMX = {"HX-Request": "true"}


def test_it_is_only_shown_on_request(cast: Cast) -> None:
    secret = cast.alice.organisation.secret
    assert secret not in cast.alice.client.get("/dashboard/secret/").content.decode()
    response = cast.alice.client.get("/dashboard/secret/?show=1")
    assert secret in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_it_is_shown_in_place(cast: Cast) -> None:
    response = cast.alice.client.get("/dashboard/secret/?show=1", headers=HTMX)
    part = parse(response.content.decode())
    assert not part.all("html")
    assert part.one("div", id="secret").one("code").text == cast.alice.organisation.secret


def test_a_member_does_not_see_it(cast: Cast) -> None:
    response = cast.bob.client.get("/dashboard/secret/?show=1")
    assert response.status_code == 403
    assert cast.alice.organisation.secret not in response.content.decode()
    nav = parse(cast.bob.client.get("/dashboard/").content.decode()).one("nav", aria_label="Dashboard")
    assert "Account secret" not in nav.text


def test_an_admin_sees_it_and_may_not_replace_it(cast: Cast) -> None:
    cast.bob.membership.role = Membership.Role.ADMIN
    cast.bob.membership.save()
    page = cast.bob.client.get("/dashboard/secret/").content.decode()
    assert "/dashboard/secret/rotate/" not in page
    before = cast.alice.organisation.secret
    assert cast.bob.client.post("/dashboard/secret/rotate/").status_code == 403
    cast.alice.organisation.refresh_from_db()
    assert cast.alice.organisation.secret == before


def test_it_asks_before_it_replaces(cast: Cast) -> None:
    before = cast.alice.organisation.secret
    assert cast.alice.client.get("/dashboard/secret/rotate/").status_code == 200
    cast.alice.organisation.refresh_from_db()
    assert cast.alice.organisation.secret == before


def test_an_owner_replaces_it(cast: Cast) -> None:
    before = cast.alice.organisation.secret
    response = cast.alice.client.post("/dashboard/secret/rotate/", follow=True)
    assert "The secret is replaced." in response.content.decode()
    cast.alice.organisation.refresh_from_db()
    assert cast.alice.organisation.secret != before


def test_a_stranger_replaces_only_their_own(cast: Cast) -> None:
    before = cast.alice.organisation.secret
    cast.charlie.client.post("/dashboard/secret/rotate/")
    cast.alice.organisation.refresh_from_db()
    assert cast.alice.organisation.secret == before
