import threading

import pytest
from asgiref.sync import async_to_sync
from django.db import IntegrityError, connection, transaction

from accounts import broadcast
from accounts.keys import digest_of
from accounts.models import Membership, Organisation, User
from accounts.organisations import SECRET_TOPIC, ensure_personal_organisation, find_by_secret, rotate_account_secret
from tests.cast import Cast


def found(secret: str) -> Organisation | None:
    return async_to_sync(find_by_secret)(secret=secret)


@pytest.mark.django_db
def test_everybody_gets_one_organisation_of_their_own() -> None:
    user = User.objects.create_user("dora@example.org")

    organisation = ensure_personal_organisation(user=user)

    assert ensure_personal_organisation(user=user) == organisation
    assert organisation.personal
    assert organisation.name == "dora"
    assert [(one.user, one.role) for one in organisation.memberships.all()] == [(user, Membership.Role.OWNER)]


@pytest.mark.django_db(transaction=True)
def test_two_calls_at_once_make_one_organisation() -> None:
    user = User.objects.create_user("dora@example.org")
    made: list[Organisation] = []
    start = threading.Barrier(4)

    def make() -> None:
        start.wait()
        made.append(ensure_personal_organisation(user=user))
        connection.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 4
    assert len({organisation.pk for organisation in made}) == 1
    assert Membership.objects.count() == 1


def test_a_secret_finds_its_organisation_and_no_other(cast: Cast) -> None:
    assert found(cast.alice.organisation.secret) == cast.alice.organisation
    assert found(cast.charlie.organisation.secret) == cast.charlie.organisation


@pytest.mark.parametrize("secret", ["", "nonsense", "rs_" + "a" * 40, "ä" * 5000, "\ud800"])
def test_a_wrong_secret_finds_nothing(cast: Cast, secret: str) -> None:
    assert found(secret) is None


def test_a_digest_is_no_secret(cast: Cast) -> None:
    assert found(cast.alice.organisation.secret_digest) is None


@pytest.mark.django_db(transaction=True)
def test_a_replaced_secret_finds_nothing_any_more(cast: Cast) -> None:
    organisation = cast.alice.organisation
    old, others = organisation.secret, cast.charlie.organisation.secret
    told: list[str] = []
    broadcast.subscribe(SECRET_TOPIC, told.append)

    new = rotate_account_secret(organisation=organisation)

    assert new != old
    assert found(old) is None
    assert found(new) == organisation
    assert found(others) == cast.charlie.organisation
    organisation.refresh_from_db()
    assert (organisation.secret, organisation.secret_digest) == (new, digest_of(new))
    assert organisation.secret_rotated_at is not None
    assert told == [str(organisation.pk)]


def test_nobody_is_twice_in_an_organisation(cast: Cast) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        cast.alice.organisation.memberships.create(user=cast.bob.user)


@pytest.mark.parametrize(
    ("role", "enough_for"),
    [("owner", ["owner", "admin", "member"]), ("admin", ["admin", "member"]), ("member", ["member"])],
)
def test_a_role_includes_those_below(role: str, enough_for: list[str]) -> None:
    assert [one for one in ("owner", "admin", "member") if Membership(role=role).at_least(one)] == enough_for
