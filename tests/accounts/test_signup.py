import re
from unittest.mock import patch

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Organisation, User
from tests.cast import Cast

pytestmark = pytest.mark.django_db

EMAIL = "dora@example.org"
PASSWORD = "correct-horse-battery-staple"


def sign_up(client: Client, email: str = EMAIL, password: str = PASSWORD):
    return client.post(reverse("account_signup"), {"email": email, "password1": password})


def link_in(message: mail.EmailMessage) -> str:
    """The path of the confirmation link."""
    found = re.search(r"http://localhost:8000(/accounts/confirm-email/\S+)", str(message.body))
    assert found, message.body
    return found[1]


def test_signing_up_makes_a_person_with_an_organisation_of_their_own(client: Client) -> None:
    response = sign_up(client, " Dora@Example.org")

    assert response.status_code == 302
    user = User.objects.get()
    assert user.email == EMAIL
    assert user.check_password(PASSWORD)
    organisation = Organisation.objects.get(personal_of=user)
    assert organisation.memberships.get().role == Membership.Role.OWNER


def test_nothing_is_left_of_a_sign_up_that_breaks_in_the_middle(client: Client) -> None:
    client.raise_request_exception = False

    with patch("accounts.adapter.ensure_personal_organisation", side_effect=OSError):
        assert sign_up(client).status_code == 500

    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()


def test_nobody_is_signed_in_before_the_address_is_verified(client: Client) -> None:
    response = sign_up(client)

    assert response.headers["Location"] == reverse("account_email_verification_sent")
    assert "_auth_user_id" not in client.session
    signed_in = client.post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD})
    assert signed_in.headers["Location"] == reverse("account_email_verification_sent")
    assert "_auth_user_id" not in client.session


def test_the_link_verifies_welcomes_and_signs_in(client: Client) -> None:
    sign_up(client)
    (verification,) = mail.outbox
    link = link_in(verification)
    assert verification.to == [EMAIL]
    assert verification.subject.startswith("[Runcode] ")

    assert client.get(link).status_code == 200
    assert not EmailAddress.objects.get().verified
    response = client.post(link)

    assert response.status_code == 302
    assert EmailAddress.objects.get().verified
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)
    welcome = mail.outbox[1]
    assert welcome.to == [EMAIL]
    assert Organisation.objects.get().secret in welcome.body


def test_the_link_verifies_in_another_browser_without_signing_it_in(client: Client) -> None:
    sign_up(client)
    other = Client()

    other.post(link_in(mail.outbox[0]))

    assert EmailAddress.objects.get().verified
    assert "_auth_user_id" not in other.session


def test_links_lead_to_the_public_url_whatever_the_host_header_says(client: Client, settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]

    client.post(reverse("account_signup"), {"email": EMAIL, "password1": PASSWORD}, headers={"host": "evil.test"})

    assert "evil.test" not in str(mail.outbox[0].body)
    assert link_in(mail.outbox[0])


def test_an_address_that_has_an_account_is_answered_alike(client: Client, cast: Cast) -> None:
    fresh = sign_up(client)
    taken = sign_up(Client(), cast.alice.email.upper())

    assert (taken.status_code, taken.headers["Location"]) == (fresh.status_code, fresh.headers["Location"])
    assert User.objects.filter(email=cast.alice.email).count() == 1
    to_fresh, to_taken = mail.outbox
    assert (to_fresh.to, to_taken.to) == ([EMAIL], [cast.alice.email])
    assert "already" in str(to_taken.body)
    assert "http://localhost:8000/accounts/password/reset/" in str(to_taken.body)


def test_a_taken_address_costs_a_hash_as_a_fresh_one_does(client: Client, cast: Cast) -> None:
    hashed: list[str | None] = []
    real = User.set_password

    def counted(self: User, password: str | None) -> None:
        hashed.append(password)
        real(self, password)

    with patch.object(User, "set_password", counted):
        sign_up(client)
        fresh = len(hashed)
        sign_up(Client(), cast.alice.email)

    assert len(hashed) == 2 * fresh


def test_two_sign_ups_at_once_with_one_address_make_one_account(client: Client, cast: Cast) -> None:
    with patch("allauth.account.internal.flows.manage_email.email_already_exists") as check:
        # As it looks to a request whose check ran before the other's insertion.
        check.side_effect = lambda email, **_: (email, False)
        response = sign_up(client, cast.alice.email)

    assert response.headers["Location"] == reverse("account_email_verification_sent")
    assert User.objects.filter(email=cast.alice.email).count() == 1
    assert User.objects.count() == 3


@pytest.mark.parametrize("password", ["short", "password123", "12345678901", "dora@example.org"])
def test_it_refuses_a_weak_password(client: Client, password: str) -> None:
    response = sign_up(client, password=password)

    assert response.status_code == 200
    assert response.context["form"].errors
    assert not User.objects.exists()


def test_it_refuses_too_many_sign_ups_from_one_address(client: Client) -> None:
    statuses = [sign_up(Client(), f"dora{number}@example.org").status_code for number in range(21)]

    assert statuses == [302] * 20 + [429]
