"""Sign-up, confirmation, sign-in, reset and the second factor, as pages and mails."""

import base64
import hashlib
import hmac
import re
import time

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import User
from tests.cast import PASSWORD, Cast
from tests.pages.html import Element, parse
from tests.pages.test_every_page import assert_sound

LINK = re.compile(r"https?://[^\s/]+(/\S+)")


def post(client: Client, path: str, **fields: str) -> Element:
    response = client.post(path, fields, follow=True)
    assert response.status_code == 200
    page = parse(response.content.decode())
    assert_sound(page)
    return page


def link_of(message: EmailMessage) -> str:
    found = LINK.search(message.body)
    assert found
    return found[1]


@pytest.mark.django_db
def test_a_stranger_signs_up_confirms_and_is_in(client: Client) -> None:
    page = post(client, "/accounts/signup/", email="dora@example.org", password1=PASSWORD)
    assert page.one("h1").text == "Confirm your e-mail address"
    page = parse(client.get(link_of(mail.outbox[0])).content.decode())
    assert_sound(page)
    assert "dora@example.org" in page.one("main").text
    page = post(client, link_of(mail.outbox[0]))
    assert page.one("h1").text == User.objects.get(email="dora@example.org").personal_organisation.name
    assert "make an API key" in page.text


@pytest.mark.django_db
def test_the_mails_are_in_our_words(client: Client) -> None:
    post(client, "/accounts/signup/", email="dora@example.org", password1=PASSWORD)
    message = mail.outbox[0]
    assert message.subject == "[Runcode] Confirm your e-mail address"
    assert "http://localhost:8000/accounts/confirm-email/" in message.body
    assert "example.com" not in message.body


def test_the_mail_to_a_known_address_says_so(cast: Cast) -> None:
    post(Client(), "/accounts/signup/", email=cast.alice.email, password1=PASSWORD)
    assert mail.outbox[0].subject == "[Runcode] You have an account already"
    assert link_of(mail.outbox[0]) == "/accounts/password/reset/"


@pytest.mark.django_db
def test_a_weak_password_is_refused_at_the_field(client: Client) -> None:
    page = post(client, "/accounts/signup/", email="dora@example.org", password1="12345678")
    assert page.one("ul", id="id_password1_error").text
    assert not User.objects.filter(email="dora@example.org").exists()


@pytest.mark.django_db
def test_a_link_that_does_not_work_says_so(client: Client) -> None:
    page = parse(client.get("/accounts/confirm-email/nothing/").content.decode())
    assert_sound(page)
    assert page.one("h1").text == "This link no longer works"


def test_a_wrong_password_is_told_without_telling_more(cast: Cast) -> None:
    page = post(Client(), "/accounts/login/", login=cast.alice.email, password="wrong")
    unknown = post(Client(), "/accounts/login/", login="nobody@example.org", password="wrong")
    assert page.one("ul", class_="errorlist nonfield").text == unknown.one("ul", class_="errorlist nonfield").text


def test_signing_in_leads_to_the_dashboard_or_back(cast: Cast) -> None:
    page = post(Client(), "/accounts/login/", login=cast.alice.email, password=PASSWORD)
    assert page.one("h1").text == cast.alice.organisation.name
    response = Client().post(
        "/accounts/login/", {"login": cast.alice.email, "password": PASSWORD, "next": "/docs/quickstart/"}
    )
    assert response["Location"] == "/docs/quickstart/"


def test_a_forgotten_password_is_replaced(cast: Cast) -> None:
    client = Client()
    page = post(client, "/accounts/password/reset/", email=cast.alice.email)
    assert page.one("h1").text == "Look at your mail"
    response = client.get(link_of(mail.outbox[0]), follow=True)
    page = parse(response.content.decode())
    assert_sound(page)
    assert page.one("h1").text == "Choose a new password"
    path = response.redirect_chain[-1][0]
    page = post(client, path, password1="another-good-password", password2="another-good-password")
    assert page.one("h1").text in {"Password changed", "Sign in", cast.alice.organisation.name}
    cast.alice.user.refresh_from_db()
    assert cast.alice.user.check_password("another-good-password")


@pytest.mark.django_db
def test_a_used_reset_link_says_so(client: Client) -> None:
    page = parse(client.get("/accounts/password/reset/key/1-set-password/").content.decode())
    assert_sound(page)
    assert page.one("h1").text == "This link no longer works"


def test_signing_out_needs_a_press_of_the_button(cast: Cast) -> None:
    page = parse(cast.alice.client.get("/accounts/logout/").content.decode())
    assert page.one("h1").text == "Sign out?"
    assert post(cast.alice.client, "/accounts/logout/").all("a", href="/accounts/login/")


# --- The second factor ---


def signed_in(cast: Cast) -> Client:
    """With the password confirmed just now: the pages below ask for that."""
    cast.alice.client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return cast.alice.client


@pytest.mark.parametrize("path", ["totp/activate/", "webauthn/", "webauthn/add/", ""])
def test_the_pages_of_the_second_factor_stand(cast: Cast, path: str) -> None:
    response = signed_in(cast).get(f"/accounts/2fa/{path}")
    assert response.status_code == 200
    assert_sound(parse(response.content.decode()))


def test_a_stale_sign_in_is_asked_again(cast: Cast) -> None:
    page = parse(cast.alice.client.get("/accounts/2fa/totp/activate/", follow=True).content.decode())
    assert_sound(page)
    assert page.one("h1").text == "Confirm that it is you"


def code_of(secret: str) -> str:
    """What an authenticator app shows now (RFC 6238: HMAC-SHA1 over half minutes, six digits)."""
    counter = int(time.time() // 30).to_bytes(8, "big")
    digest = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def test_an_authenticator_app_is_set_up_used_and_switched_off(cast: Cast) -> None:
    client = signed_in(cast)
    secret = parse(client.get("/accounts/2fa/totp/activate/").content.decode()).one("input", id="authenticator_secret")
    page = post(client, "/accounts/2fa/totp/activate/", code=code_of(secret["value"]))
    assert page.one("h1").text == "Recovery codes"
    codes = page.one("textarea", id="recovery_codes").text.split()
    assert len(codes) == 10

    other = Client()
    page = post(other, "/accounts/login/", login=cast.alice.email, password=PASSWORD)
    assert page.one("h1").text == "Second factor"
    page = post(other, "/accounts/2fa/authenticate/", code="000000")
    assert page.all("ul", class_="errorlist")
    page = post(other, "/accounts/2fa/authenticate/", code=codes[0])
    assert page.one("h1").text == cast.alice.organisation.name

    for path in ("recovery-codes/", "recovery-codes/generate/", "totp/deactivate/"):
        response = client.get(f"/accounts/2fa/{path}")
        assert response.status_code == 200, path
        assert_sound(parse(response.content.decode()))
    page = post(client, "/accounts/2fa/totp/deactivate/")
    assert "switched off" in page.text


@pytest.mark.django_db(transaction=True)
def test_a_second_factor_is_announced_by_mail(cast: Cast) -> None:
    client = signed_in(cast)
    secret = parse(client.get("/accounts/2fa/totp/activate/").content.decode()).one("input", id="authenticator_secret")
    post(client, "/accounts/2fa/totp/activate/", code=code_of(secret["value"]))
    assert "[Runcode] Authenticator app switched on" in [message.subject for message in mail.outbox]
    assert "If it was not you" in mail.outbox[0].body


def test_a_changed_address_waits_for_its_confirmation(cast: Cast) -> None:
    client = signed_in(cast)
    page = post(client, "/accounts/email/", email="alice@new.example.org", action_add="")
    assert "is not confirmed yet" in page.text
    assert "You sign in with alice@example.org" in page.text
