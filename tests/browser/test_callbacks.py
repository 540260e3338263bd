"""The callbacks of a key under the hands: from its redirect URL to the secret that its messages are signed with."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Tab


def test_a_redirect_url_leads_to_a_signing_secret_that_is_shown_copied_and_replaced(tab: Tab) -> None:
    page = tab.sign_in()
    tab.open("/dashboard/keys/")
    page.get_by_label("Name").fill("Grader")
    page.get_by_label("Redirect URL").fill("https://example.com/results")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_role("link", name="Callbacks of Grader").click()
    expect(page.get_by_role("heading", name="Callbacks of “Grader”")).to_be_visible()
    expect(page.get_by_text("Nothing was sent yet.")).to_be_visible()

    page.get_by_role("link", name="Show it").click()
    secret = page.locator("#secret code")
    expect(secret).to_have_text(re.compile(r"whsec_[A-Za-z0-9+/]{43}="))
    shown = secret.inner_text()
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == shown
    page.get_by_role("link", name="Hide it").click()
    expect(secret).to_have_count(0)

    page.get_by_role("link", name="Replace it").click()
    page.get_by_role("button", name="Replace the secret").click()
    expect(page.get_by_text("For a day the old one signs as well.")).to_be_visible()
    page.get_by_role("link", name="Show it").click()
    expect(secret).not_to_have_text(shown)
