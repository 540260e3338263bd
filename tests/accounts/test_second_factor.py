import time

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client
from django.urls import reverse

from tests.accounts.passkey import Passkey
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str) -> str:
    """Where the right password leads."""
    response = client.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    return response.headers["Location"]


def sign_in_afresh(client: Client, email: str) -> None:
    """Signed in, and the password given once more: what changing a second factor takes."""
    sign_in(client, email)
    assert client.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 302


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def turn_on(client: Client, email: str) -> str:
    """Signs in and turns codes on; the secret that the authenticator app holds then."""
    sign_in_afresh(client, email)
    page = client.get(reverse("mfa_activate_totp"))
    secret: str = page.context["form"].secret
    assert page.context["totp_svg_data_uri"].startswith("data:image/svg")
    response = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert response.status_code == 302, response.context["form"].errors
    return secret


def test_codes_of_an_app_are_asked_for_after_the_password(client: Client, cast: Cast) -> None:
    secret = turn_on(client, cast.alice.email)
    browser = Client()

    assert sign_in(browser, cast.alice.email) == reverse("mfa_authenticate")
    assert not signed_in(browser)
    wrong = browser.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert wrong.status_code == 200
    assert not signed_in(browser)
    browser.post(reverse("mfa_authenticate"), {"code": code_of(secret)})

    assert signed_in(browser)


def test_a_code_works_once(client: Client, cast: Cast) -> None:
    secret = turn_on(client, cast.alice.email)
    code = code_of(secret)
    one, other = Client(), Client()

    sign_in(one, cast.alice.email)
    one.post(reverse("mfa_authenticate"), {"code": code})
    sign_in(other, cast.alice.email)
    other.post(reverse("mfa_authenticate"), {"code": code})

    assert signed_in(one)
    assert not signed_in(other)


def test_a_recovery_code_stands_in_once(client: Client, cast: Cast) -> None:
    turn_on(client, cast.alice.email)
    authenticator = Authenticator.objects.get(user=cast.alice.user, type=Authenticator.Type.RECOVERY_CODES)
    codes = RecoveryCodes(authenticator).get_unused_codes()
    assert len(codes) == 10
    one, other = Client(), Client()

    for browser in (one, other):
        sign_in(browser, cast.alice.email)
        browser.post(reverse("mfa_authenticate"), {"code": codes[0]})

    assert signed_in(one)
    assert not signed_in(other)


def test_turning_codes_on_takes_a_fresh_password(cast: Cast) -> None:
    response = cast.alice.client.get(reverse("mfa_activate_totp"))

    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("account_reauthenticate"))


def test_an_app_shows_whose_code_it_is(cast: Cast) -> None:
    url = get_adapter().build_totp_url(cast.alice.user, generate_totp_secret())

    assert "issuer=Runcode" in url
    assert "alice%40example.org" in url


def test_a_passkey_signs_in_without_a_password(client: Client, cast: Cast) -> None:
    passkey = Passkey("http://testserver")
    sign_in_afresh(client, cast.alice.email)
    page = client.get(reverse("mfa_add_webauthn"))
    credential = passkey.register(page.context["js_data"]["creation_options"])
    added = client.post(reverse("mfa_add_webauthn"), {"name": "laptop", "passwordless": "on", "credential": credential})
    assert added.status_code == 302, added.context["form"].errors

    browser = Client()
    options = browser.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"}).json()
    browser.post(reverse("mfa_login_webauthn"), {"credential": passkey.sign_in(options["request_options"])})

    assert browser.session["_auth_user_id"] == str(cast.alice.user.pk)


def test_a_passkey_of_nobody_signs_nobody_in(client: Client, cast: Cast) -> None:
    options = client.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"}).json()

    response = client.post(
        reverse("mfa_login_webauthn"), {"credential": Passkey("http://testserver").sign_in(options["request_options"])}
    )

    assert response.headers["Location"] == reverse("account_login")
    assert not signed_in(client)
