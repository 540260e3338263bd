"""From the dashboard to somebody's page: a widget is made, tried, copied, used, changed and revoked."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Tab
from tests.browser.widgets import Widget
from tests.widgets.host_site import HostSite, host_site


@pytest.fixture(scope="module")
def host() -> Iterator[HostSite]:
    with host_site() as site:
        yield site


@pytest.fixture
def page(tab: Tab) -> Page:
    # By the address that the service knows as its own, which its widgets may always be tried on.
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=tab.site.service.url)
    tab.page.goto(f"{tab.site.service.url}/accounts/login/?next=/dashboard/widgets/")
    tab.page.get_by_label("Email").fill(tab.site.service.demo["email"])
    tab.page.get_by_label("Password").fill(tab.site.service.demo["password"])
    tab.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(tab.page.get_by_role("heading", name="Widgets", exact=True)).to_be_visible()
    return tab.page


def make(page: Page, name: str, **fields: str) -> None:
    page.get_by_label("Name").fill(name)
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " ")).fill(value)
    page.get_by_role("button", name="Make the widget").click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def test_a_widget_from_its_making_to_its_end(tab: Tab, page: Page, host: HostSite) -> None:
    make(page, "Lesson 1", Allowed_web_origins=host.url, First_program="print('a' < 'b')")
    preview = Widget(page)
    preview.run()
    expect(preview.log).to_have_text("True\n", use_inner_text=True)

    page.get_by_role("button", name="Copy this code").click()
    lines = page.evaluate("navigator.clipboard.readText()")
    theirs = tab.context.new_page()
    theirs.goto(host.put(lines))
    widget = Widget(theirs)
    widget.run()
    expect(widget.log).to_have_text("True\n", use_inner_text=True)

    with host_site() as elsewhere:
        foreign = tab.context.new_page()
        foreign.goto(elsewhere.put(lines))
        Widget(foreign).run()
        expect(Widget(foreign).log).to_contain_text("may not be used from this page")
        foreign.close()

    theirs.wait_for_timeout(1_100)
    widget.run("import time\nprint('on', flush=True)\ntime.sleep(25)")
    expect(widget.log).to_have_text("on\n", use_inner_text=True)
    page.get_by_role("link", name="Revoke this widget").click()
    page.get_by_role("button", name="Revoke the widget").click()
    expect(page.get_by_text("“Lesson 1” is revoked.")).to_be_visible()
    expect(widget.log).to_have_text(re.compile("^on\nThis key was revoked[^\n]*\n$"), use_inner_text=True)
    expect(widget.status).to_have_text("Ended by the service.")
    expect(widget.button("Run")).to_have_attribute("aria-disabled", "false")
    widget.run()
    expect(widget.status).to_have_text("Not run.")


def test_preview_and_lines_follow_the_form(page: Page) -> None:
    make(page, "Lesson 2")
    preview, snippet = Widget(page), page.locator("#snippet")
    page.locator("#id_compiler").select_option("gcc-15")
    page.get_by_label("Theme").select_option("light")
    page.get_by_label("Height").fill("300")
    expect(snippet).to_contain_text('data-lang="gcc-15" data-theme="light" data-height="300"></div>')
    expect(preview.languages).to_have_value("gcc-15")
    expect(preview.host.locator(".widget")).to_have_attribute("data-theme", "light")
    page.get_by_label("First program").fill('int main() { return 1 < 2 && "x"; }')
    expect(snippet).to_contain_text('>\nint main() { return 1 &lt; 2 &amp;&amp; "x"; }\n</div>')
    expect(preview.code).to_have_text('int main() { return 1 < 2 && "x"; }')
    written = snippet.text_content()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“Lesson 2” is changed.")).to_be_visible()
    # What the browser wrote is what the service writes.
    assert snippet.text_content() == written
    expect(preview.code).to_have_text('int main() { return 1 < 2 && "x"; }')
    expect(preview.languages).to_have_value("gcc-15")


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_the_page_of_a_widget_fits_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    make(page, "W" * 100)
    expect(Widget(page).code).to_be_visible()
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(over) <= 0
    page.get_by_role("link", name="Revoke this widget").click()
    expect(page.get_by_role("heading", name=re.compile("^Revoke"))).to_be_visible()
    assert page.evaluate(over) <= 0
    page.goto(page.url.split("/dashboard/")[0] + "/dashboard/widgets/")
    assert page.evaluate(over) <= 0
