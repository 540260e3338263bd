"""The history under the hands: filters that stay in the address, a run again, into the playground, behind a link."""

import re

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Tab


def run_in_playground(tab: Tab, code: str) -> None:
    page = tab.open("/playground/")
    page.get_by_label("Program").fill(code)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("[data-exit-code]")).to_be_visible()


def test_filters_narrow_the_list_and_survive_a_reload(tab: Tab) -> None:
    page = tab.sign_up("filters@example.org")
    tab.open("/dashboard/runs/")
    expect(page.get_by_text("Nothing has run yet.")).to_be_visible()
    run_in_playground(tab, "print(1)")
    run_in_playground(tab, "exit(3)")
    rows = page.locator(".runs__row")
    # Written behind the answer.
    for _ in range(20):
        tab.open("/dashboard/runs/")
        if rows.count() == 2:
            break
        page.wait_for_timeout(250)
    expect(rows).to_have_count(2)
    page.get_by_label("How it ended").select_option("runtime_error")
    expect(rows).to_have_count(1)
    page.wait_for_url(re.compile(r"outcome=runtime_error"))
    page.reload()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("How it ended")).to_have_value("runtime_error")
    page.get_by_label("How it ended").select_option("time_limit")
    expect(page.get_by_text("No run is like that.")).to_be_visible()


def test_a_run_is_run_again_changed_and_shared(tab: Tab, chromium: Browser) -> None:
    page = tab.sign_up("again@example.org")
    run_in_playground(tab, "print('first')")
    page.get_by_label("Program").fill("print('something else')")
    page.wait_for_timeout(1500)
    tab.open("/dashboard/runs/")
    page.locator(".runs__row").first.click()
    expect(page.locator("[data-output]")).to_have_text("first\n")
    before = page.url
    page.get_by_role("button", name="Run again").click()
    page.wait_for_url(lambda url: "/dashboard/runs/" in url and url != before)
    expect(page.locator("[data-output]")).to_have_text("first\n")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".secret code").inner_text()
    token = re.search(r"/r/([\w-]{32})/$", link)
    assert token is not None
    stranger = chromium.new_context()
    shared = stranger.new_page()
    shared.goto(f"{tab.site.url}/r/{token[1]}/")
    expect(shared.locator("[data-output]")).to_have_text("first\n")
    page.get_by_role("button", name="Take the link back").click()
    expect(page.get_by_text("The link no longer works.")).to_be_visible()
    answer = shared.reload()
    assert answer is not None
    assert answer.status == 404
    stranger.close()
    page.get_by_role("link", name="Open in the playground").click()
    expect(page.get_by_label("Program")).to_have_value("print('first')")
    page.get_by_label("Program").fill("print('changed')")
    page.reload()
    expect(page.get_by_label("Program")).to_have_value("print('changed')")


def test_a_page_of_a_run_that_ends_shows_it(tab: Tab) -> None:
    page = tab.sign_in()
    with tab.site.service.client() as client:
        body = {"compiler": "python-3.14", "code": "import time; time.sleep(3); print('over')", "poll": True}
        run = client.post("/api/run-code/", json=body).raise_for_status().json()["id"]
    tab.open(f"/dashboard/runs/{run}/")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(page.locator("[data-output]")).to_have_text("over\n")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
