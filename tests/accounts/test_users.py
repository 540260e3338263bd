import pytest
from django.core.management import call_command
from django.db import IntegrityError

from accounts.models import Membership, Organisation, User
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_an_address_is_kept_in_lower_case() -> None:
    user = User.objects.create_user(" Dora@Example.ORG ", "secret")

    assert user.email == "dora@example.org"
    assert User.objects.get_by_natural_key("DORA@example.org") == user
    assert user.check_password("secret")


def test_an_address_is_one_account_in_any_case() -> None:
    User.objects.create_user("dora@example.org")

    with pytest.raises(IntegrityError):
        User.objects.bulk_create([User(email="DORA@example.org")])


def test_a_form_keeps_the_address_in_lower_case() -> None:
    user = User(email="Dora@Example.org")
    user.set_unusable_password()
    user.full_clean()

    assert user.email == "dora@example.org"


def test_a_user_needs_an_address() -> None:
    with pytest.raises(ValueError, match="needs an e-mail address"):
        User.objects.create_user("")


def test_staff_is_made_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "secret")

    call_command("createsuperuser", "--noinput", "--email", "Staff@example.org", verbosity=0)

    user = User.objects.get(email="staff@example.org")
    assert user.is_staff
    assert user.is_superuser
    assert user.check_password("secret")


def test_people_are_shown_by_name_or_address() -> None:
    named, nameless = User(email="dora@example.org", name="Dora"), User(email="dora@example.org")

    assert (str(named), named.get_full_name(), named.get_short_name()) == ("dora@example.org", "Dora", "Dora")
    assert (nameless.get_full_name(), nameless.get_short_name()) == ("dora@example.org", "dora")


def test_things_are_shown_without_secrets(cast: Cast) -> None:
    shown = [
        str(cast.alice.organisation),
        str(cast.alice.membership),
        str(cast.alice.api_key_row),
        str(cast.alice.websocket_key_row),
    ]

    assert shown[:2] == ["Alice", "alice@example.org in Alice (owner)"]
    for secret in (cast.alice.organisation.secret, cast.alice.api_key, cast.alice.websocket_key):
        assert all(secret not in text for text in shown)
    assert cast.alice.api_key_row.masked == f"{cast.alice.api_key[:12]}…"


def test_what_a_person_made_stays_their_organisations(cast: Cast) -> None:
    cast.bob.user.delete()

    cast.bob.api_key_row.refresh_from_db()
    assert cast.bob.api_key_row.created_by is None
    assert cast.bob.api_key_row.organisation == cast.alice.organisation
    assert not Membership.objects.filter(organisation=cast.alice.organisation).exclude(user=cast.alice.user).exists()
    assert Organisation.objects.filter(name="Bob", personal_of=None).exists()
