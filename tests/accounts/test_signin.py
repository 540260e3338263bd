import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db

NEW = "another-horse-entirely"


def sign_in(
    client: Client, email: str, password: str = PASSWORD, address: str = "192.0.2.1", **fields: str
) -> HttpResponse:
    data = {"login": email, "password": password, **fields}
    return client.post(reverse("account_login"), data, REMOTE_ADDR=address)


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_person_signs_in_with_address_and_password(client: Client, cast: Cast) -> None:
    response = sign_in(client, cast.alice.email.upper())

    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(cast.alice.user.pk)


@pytest.mark.parametrize(("remember", "stays"), [({}, False), ({"remember": "on"}, True)])
def test_only_a_remembered_session_outlives_the_browser(
    client: Client, cast: Cast, remember: dict[str, str], stays: bool
) -> None:
    sign_in(client, cast.alice.email, **remember)

    assert client.session.get_expire_at_browser_close() is not stays
    if stays:
        assert client.session.get_expiry_age() == timedelta(days=30).total_seconds()


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(client: Client, cast: Cast) -> None:
    wrong = sign_in(client, cast.alice.email, "wrong")
    unknown = sign_in(client, "nobody@example.org", "wrong")

    assert wrong.status_code == unknown.status_code == 200
    assert wrong.context["form"].errors == unknown.context["form"].errors  # type: ignore[attr-defined]
    assert not signed_in(client)


def test_somebody_who_is_not_active_is_not_signed_in(client: Client, cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.user.pk).update(is_active=False)

    response = sign_in(client, cast.alice.email)

    assert response.headers["Location"] == reverse("account_inactive")
    assert not signed_in(client)


def test_ten_wrong_passwords_lock_that_person_at_that_address_only(client: Client, cast: Cast) -> None:
    for number in range(10):
        # In whatever spelling: capitals are no fresh attempts.
        email = cast.alice.email.upper() if number % 2 else cast.alice.email
        last = sign_in(client, email, f"wrong {number}")

    assert last.status_code == 429
    assert sign_in(client, cast.alice.email).status_code == 429
    assert not signed_in(client)
    assert sign_in(Client(), cast.alice.email, address="198.51.100.1").status_code == 302
    assert sign_in(Client(), cast.bob.email).status_code == 302


def test_attempts_count_by_the_clients_address_and_not_the_proxys(client: Client, cast: Cast, settings) -> None:
    settings.TRUSTED_PROXIES = ["192.0.2.1"]

    for forwarded in ("203.0.113.1", "198.51.100.1, 203.0.113.1"):
        client.post(
            reverse("account_login"),
            {"login": cast.alice.email, "password": "wrong"},
            REMOTE_ADDR="192.0.2.1",
            headers={"x-forwarded-for": forwarded},
        )

    attempt = AccessAttempt.objects.get()
    assert (attempt.ip_address, attempt.failures_since_start) == ("203.0.113.1", 2)


def test_no_record_of_an_attempt_holds_the_password(client: Client, cast: Cast) -> None:
    sign_in(client, cast.alice.email, "nearly-right-password")

    assert "nearly-right-password" not in str(AccessAttempt.objects.values().get())


def test_signing_in_wipes_earlier_failures(client: Client, cast: Cast) -> None:
    for _ in range(9):
        sign_in(client, cast.alice.email, "wrong")
    assert sign_in(client, cast.alice.email).status_code == 302

    assert not AccessAttempt.objects.exists()


def test_many_addresses_trying_one_person_are_slowed_down_together(client: Client, cast: Cast) -> None:
    for number in range(50):
        sign_in(Client(), cast.alice.email, "wrong", address=f"192.0.2.{number}")

    sign_in(client, cast.alice.email, address="198.51.100.1")

    assert not signed_in(client)


def test_it_leads_only_to_pages_of_its_own(client: Client, cast: Cast) -> None:
    response = client.post(
        reverse("account_login"),
        {"login": cast.alice.email, "password": PASSWORD, "next": "https://evil.test/"},
    )

    assert response.headers["Location"] == reverse("overview")


def test_a_forgotten_password_is_replaced_through_a_mail(client: Client, cast: Cast) -> None:
    asked = client.post(reverse("account_reset_password"), {"email": cast.alice.email})
    (message,) = mail.outbox
    found = re.search(r"http://localhost:8000(/accounts/password/reset/key/\S+)", str(message.body))
    assert found
    form = client.get(found[1], follow=True)
    changed = client.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW})

    assert asked.status_code == changed.status_code == 302
    assert message.to == [cast.alice.email]
    cast.alice.user.refresh_from_db()
    assert cast.alice.user.check_password(NEW)
    assert client.get(found[1], follow=True).context["token_fail"]


def test_asking_for_a_reset_tells_nobody_who_has_an_account(client: Client, cast: Cast) -> None:
    known = client.post(reverse("account_reset_password"), {"email": cast.alice.email})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.org"})

    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])
    assert len(mail.outbox) == 2


def test_a_new_password_ends_the_sessions_of_other_browsers(client: Client, cast: Cast) -> None:
    other = Client()
    sign_in(client, cast.alice.email)
    sign_in(other, cast.alice.email)

    changed = client.post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    )

    assert changed.status_code == 302
    assert client.get(reverse("account_change_password")).status_code == 200
    assert other.get(reverse("account_change_password")).status_code == 302
    assert "password" in mail.outbox[-1].subject.lower()
