"""Passkeys and the authenticator app, with the browser's own virtual authenticator."""

from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, Tab


def with_authenticator(tab: Tab) -> None:
    """A device with a fingerprint reader that always says yes."""
    session = tab.context.new_cdp_session(tab.page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_a_passkey_is_added_and_signs_in(tab: Tab) -> None:
    page = tab.sign_up("hanna@example.org")
    with_authenticator(tab)
    tab.open("/accounts/2fa/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("The passkey or security key is added.")).to_be_visible()
    tab.open("/accounts/2fa/webauthn/")
    expect(page.get_by_role("heading", name="Laptop")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    tab.open("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/dashboard/")


def test_a_passkey_that_is_not_there_is_told_on_the_page(tab: Tab) -> None:
    page = tab.open("/accounts/login/")
    with_authenticator(tab)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_the_qr_code_is_shown(tab: Tab) -> None:
    page = tab.sign_up("ida@example.org")
    tab.open("/accounts/2fa/totp/activate/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    picture = page.get_by_role("img", name="QR code of the secret below")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 0


def test_a_forgotten_password_is_replaced(tab: Tab) -> None:
    page = tab.sign_up("jan@example.org")
    page.get_by_role("button", name="Sign out").click()
    tab.open("/accounts/login/")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email").fill("jan@example.org")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    tab.open(tab.site.link_to("jan@example.org", containing="password/reset/key"))
    page.get_by_label("New Password", exact=True).fill("another-good-password")
    page.get_by_label("New Password (again)").fill("another-good-password")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("heading", name="Password changed")).to_be_visible()
    tab.sign_in("jan@example.org", "another-good-password")
