"""Settings, and the choice of the organisation."""

from accounts.models import Membership, Organisation
from tests.cast import Cast
from tests.pages.html import parse


def test_a_member_changes_their_name(cast: Cast) -> None:
    response = cast.bob.client.post("/dashboard/settings/", {"profile-name": "Robert", "profile": ""}, follow=True)
    assert "Saved." in response.content.decode()
    cast.bob.user.refresh_from_db()
    assert cast.bob.user.name == "Robert"


def test_it_refuses_a_name_that_is_too_long(cast: Cast) -> None:
    response = cast.bob.client.post("/dashboard/settings/", {"profile-name": "x" * 151, "profile": ""})
    assert parse(response.content.decode()).one("ul", id="id_profile-name_error").text
    cast.bob.user.refresh_from_db()
    assert cast.bob.user.name == "Bob"


def test_an_owner_renames_the_organisation(cast: Cast) -> None:
    secret = cast.alice.organisation.secret
    cast.alice.client.post("/dashboard/settings/", {"organisation-name": "Lab", "organisation": ""})
    cast.alice.organisation.refresh_from_db()
    assert (cast.alice.organisation.name, cast.alice.organisation.secret) == ("Lab", secret)


def test_nobody_else_renames_it(cast: Cast) -> None:
    page = parse(cast.bob.client.get("/dashboard/settings/").content.decode())
    assert not page.all("input", name="organisation-name")
    response = cast.bob.client.post("/dashboard/settings/", {"organisation-name": "Mine", "organisation": ""})
    assert response.status_code == 403
    cast.alice.organisation.refresh_from_db()
    assert cast.alice.organisation.name != "Mine"


def test_it_leads_to_address_password_and_second_factor(cast: Cast) -> None:
    main = parse(cast.alice.client.get("/dashboard/settings/").content.decode()).one("main")
    targets = {link["href"] for link in main.all("a")}
    assert {"/accounts/email/", "/accounts/password/change/", "/accounts/2fa/"} <= targets


def test_the_choice_of_organisation_stands_where_there_is_one(cast: Cast) -> None:
    alone = parse(cast.charlie.client.get("/dashboard/").content.decode())
    assert not alone.all("select", name="organisation")
    both = parse(cast.bob.client.get("/dashboard/").content.decode()).one("select", name="organisation")
    chosen = [option.text for option in both.all("option") if "selected" in option.attributes]
    assert chosen == [cast.alice.organisation.name]
    assert len(both.all("option")) == 2


def test_a_foreign_organisation_is_not_found(cast: Cast) -> None:
    for organisation in (cast.charlie.organisation.pk, 0, "x", ""):
        response = cast.alice.client.post("/dashboard/organisation/", {"organisation": organisation})
        assert response.status_code == 404


def test_losing_the_membership_shows_at_once(cast: Cast) -> None:
    other = Organisation.objects.create(name="Other")
    membership = Membership.objects.create(user=cast.charlie.user, organisation=other)
    cast.charlie.client.post("/dashboard/organisation/", {"organisation": other.pk})
    assert parse(cast.charlie.client.get("/dashboard/").content.decode()).one("h1").text == "Other"
    membership.delete()
    heading = parse(cast.charlie.client.get("/dashboard/").content.decode()).one("h1").text
    assert heading == cast.charlie.organisation.name


def test_an_owner_chooses_what_the_history_keeps(cast: Cast) -> None:
    page = parse(cast.alice.client.get("/dashboard/settings/").content.decode())
    boxes = {box["name"]: "checked" in box.attributes for box in page.all("input", type="checkbox")}
    assert boxes == {"history-keep_sources": True, "history-keep_outputs": True}
    cast.alice.client.post("/dashboard/settings/", {"history-keep_outputs": "on", "history": ""})
    cast.alice.organisation.refresh_from_db()
    assert (cast.alice.organisation.keep_sources, cast.alice.organisation.keep_outputs) == (False, True)


def test_nobody_else_chooses_it(cast: Cast) -> None:
    page = parse(cast.bob.client.get("/dashboard/settings/").content.decode())
    assert not page.all("input", type="checkbox")
    assert cast.bob.client.post("/dashboard/settings/", {"history": ""}).status_code == 403
    cast.alice.organisation.refresh_from_db()
    assert cast.alice.organisation.keep_sources
