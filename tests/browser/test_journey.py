"""A stranger becomes a customer: signs up, makes a key, runs a program, sees it counted, revokes the key."""

import re

import httpx
from playwright.sync_api import expect

from tests.browser.conftest import Tab

PROGRAM = 'import sys\nprint("Hello,", input())\nprint("careful", file=sys.stderr)\n'


def call(url: str, key: str) -> httpx.Response:
    body = {"compiler": "python-3.14", "code": "print(6 * 7)"}
    return httpx.post(f"{url}/api/run-code-sync/", json=body, headers={"Authorization": key}, timeout=60)


def test_from_the_front_page_to_a_revoked_key(tab: Tab) -> None:
    page = tab.open("/")
    page.get_by_role("link", name="Sign up for a key").click()
    expect(page).to_have_url(re.compile("/accounts/signup/$"))
    tab.sign_up("dora@example.org")
    expect(page.get_by_role("heading", name="Next: make an API key")).to_be_visible()
    used = page.locator("[data-runs-used]")
    expect(used).to_have_text("0")

    # A key, shown once.
    page.get_by_role("link", name="Make an API key").click()
    page.get_by_label("Name").fill("Judge")
    page.get_by_role("button", name="Make the key").click()
    shown = page.locator("[data-new-key]")
    expect(shown).to_be_focused()
    key = shown.locator("code").inner_text()
    shown.get_by_role("button", name="Copy the key").click()
    assert page.evaluate("navigator.clipboard.readText()") == key
    answer = call(tab.site.url, key)
    assert (answer.status_code, answer.json()["output"]) == (200, "42\n")

    # The documentation's examples carry it.
    tab.open("/docs/quickstart/")
    expect(page.locator("[data-fill='API_KEY']").first).to_have_text(key)
    expect(page.get_by_text("The examples carry the key you just made")).to_be_visible()

    # A run in the playground.
    tab.open("/playground/")
    page.get_by_label("Program").fill(PROGRAM)
    page.get_by_label("Standard input").fill("Dora")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("[data-exit-code]")).to_have_text("0")
    expect(page.locator("[data-output]")).to_have_text("Hello, Dora\n")
    expect(page.locator("[data-error]")).to_have_text("careful\n")

    # Both runs are counted.
    tab.open("/dashboard/")
    expect(used).to_have_text("2")

    # Revoked: the very next call is refused, and the examples no longer carry the key.
    tab.open("/dashboard/keys/")
    page.get_by_role("link", name="Revoke Judge").click()
    expect(page.get_by_role("link", name="Keep it")).to_be_focused()
    page.get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_text("“Judge” is revoked.")).to_be_visible()
    expect(page.get_by_text("No key yet.")).to_be_visible()
    assert call(tab.site.url, key).status_code == 401
    tab.open("/docs/quickstart/")
    expect(page.locator("[data-fill='API_KEY']").first).to_have_text("$API_KEY")


def test_a_key_can_be_made_from_within_the_documentation(tab: Tab) -> None:
    tab.sign_up("emil@example.org")
    page = tab.open("/docs/quickstart/")
    page.get_by_role("button", name="Make a key for these examples").click()
    filled = page.locator("[data-fill='API_KEY']").first
    expect(filled).to_have_text(re.compile("^rk_"))
    assert call(tab.site.url, filled.inner_text()).status_code == 200
    page.get_by_role("button", name="Take it out of the examples").click()
    expect(filled).to_have_text("$API_KEY")


def test_the_key_of_the_examples_goes_with_its_reader(tab: Tab) -> None:
    tab.sign_up("fritz@example.org")
    page = tab.open("/docs/quickstart/")
    page.get_by_role("button", name="Make a key for these examples").click()
    filled = page.locator("[data-fill='API_KEY']").first
    expect(filled).to_have_text(re.compile("^rk_"))
    page.get_by_role("button", name="Sign out").click()
    tab.open("/docs/quickstart/")
    expect(filled).to_have_text("$API_KEY")
    assert page.evaluate("sessionStorage.getItem('example-key')") is None


def test_keeping_a_key_puts_its_row_back(tab: Tab) -> None:
    tab.sign_up("greta@example.org")
    page = tab.open("/dashboard/keys/")
    page.get_by_label("Name").fill("Judge")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_role("link", name="Revoke Judge").click()
    page.get_by_role("link", name="Keep it").click()
    expect(page.get_by_role("link", name="Revoke Judge")).to_be_visible()


def test_a_bad_restriction_is_told_at_its_field(tab: Tab) -> None:
    page = tab.sign_in()
    tab.open("/dashboard/keys/")
    page.get_by_label("Name").fill("Judge")
    page.get_by_text("Restrict it").click()
    page.get_by_label("Allowed networks").fill("somewhere")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("“somewhere” is no network.")).to_be_visible()
    expect(page.get_by_label("Allowed networks")).to_have_value("somewhere")


def test_the_account_secret_is_shown_copied_and_hidden(tab: Tab) -> None:
    page = tab.sign_in()
    secret = tab.site.service.demo["secret"]
    tab.open("/dashboard/secret/")
    assert secret not in page.content()
    page.get_by_role("link", name="Show it").click()
    page.get_by_role("button", name="Copy the account secret").click()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.get_by_role("link", name="Hide it").click()
    expect(page.get_by_role("link", name="Show it")).to_be_visible()
    assert secret not in page.content()
