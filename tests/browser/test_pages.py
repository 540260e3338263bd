"""What only a browser shows: narrow screens, the dark, the keyboard, the policy."""

import pytest
from playwright.sync_api import expect

from execution.pages_docs import CHAPTERS
from tests.browser.conftest import Tab

DOCS = [f"/docs/{slug}/" for _, slugs in CHAPTERS for slug in slugs]
PUBLIC = ["/", "/pricing/", "/docs/", *DOCS, "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]
MEMBER = [
    "/dashboard/",
    "/playground/",
    "/dashboard/keys/",
    "/dashboard/websocket-keys/",
    "/dashboard/widgets/",
    "/dashboard/secret/?show=1",
    "/dashboard/secret/rotate/",
    "/dashboard/runs/",
    "/dashboard/batches/",
    "/dashboard/settings/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/2fa/",
]


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_no_page_is_wider_than_the_screen_or_breaks_its_policy(tab: Tab, width: int) -> None:
    tab.page.set_viewport_size({"width": width, "height": 800})
    paths = [(False, path) for path in PUBLIC] + [(True, path) for path in MEMBER]
    signed_in = False
    for member, path in paths:
        if member and not signed_in:
            tab.sign_in()
            signed_in = True
        page = tab.open(path)
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{path} is {over} px too wide at {width}"
        assert not tab.complaints, path


def test_the_colours_are_the_systems_until_the_reader_chooses(tab: Tab) -> None:
    page = tab.page
    background = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    tab.open("/")
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(background)
    assert light != dark
    toggle = page.get_by_role("button", name="Colours:").first
    toggle.click()  # light
    assert page.evaluate(background) == light
    tab.open("/pricing/")
    assert page.evaluate(background) == light
    toggle.click()  # dark
    page.emulate_media(color_scheme="light")
    assert page.evaluate(background) == dark
    toggle.click()  # the system's again
    assert page.evaluate(background) == light


def test_the_keyboard_reaches_the_content_first(tab: Tab) -> None:
    page = tab.open("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Sign up for a key")).to_be_focused()


def test_focus_can_be_seen(tab: Tab) -> None:
    page = tab.open("/")
    for _ in range(4):
        page.keyboard.press("Tab")
        style = page.evaluate("(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])"
                              "(getComputedStyle(document.activeElement))")  # fmt: skip
        assert style == ["solid", "3px"]


def test_the_menu_of_a_phone_opens_and_closes(tab: Tab) -> None:
    tab.page.set_viewport_size({"width": 360, "height": 740})
    page = tab.open("/")
    menu = page.locator("details.menu")
    menu.get_by_text("Menu").click()
    expect(menu.get_by_role("link", name="Pricing")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="Pricing")).to_be_hidden()
    menu.get_by_text("Menu").click()
    menu.get_by_role("link", name="Pricing").click()
    expect(page.get_by_role("heading", name="Pricing")).to_be_visible()


def test_code_can_be_copied(tab: Tab) -> None:
    page = tab.open("/docs/quickstart/")
    page.get_by_role("button", name="Copy this code").nth(1).click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl -X POST ")
    assert copied.endswith("'")


def test_nothing_comes_from_elsewhere(tab: Tab) -> None:
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    for path in PUBLIC:
        tab.open(path)
    assert asked
    assert not [url for url in asked if not url.startswith((tab.site.url, "data:"))]


def test_names_without_a_space_break_no_page(tab: Tab) -> None:
    page = tab.sign_up("karla@example.org")
    tab.open("/dashboard/settings/")
    page.get_by_label("Organisation’s name").fill("W" * 150)
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    tab.open("/dashboard/keys/")
    page.get_by_label("Name").fill("W" * 100)
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("[data-new-key]")).to_be_visible()
    page.set_viewport_size({"width": 320, "height": 700})
    for path in MEMBER:
        tab.open(path)
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{path} is {over} px too wide"
