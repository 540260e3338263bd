"""What the widget tells its reader when it can't run something. The program always stays as it was."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from billing.plans import FREE
from execution.catalogue import COMPILERS
from tests.browser.conftest import Tab
from tests.browser.line import Line, line_to
from tests.browser.widgets import Widget, element, script
from tests.server import Service
from tests.widgets.host_site import HostSite, host_site

DONE = re.compile(r"^exit 0")

# For `manage.py shell`: a key of the demo account, one of somebody else, one of somebody whose month is used up.
KEY = """
from accounts.demo import ensure_demo
from accounts.key_lifecycle import create_websocket_key
from accounts.models import User
organisation = User.objects.get(email="demo@runcode.example").personal_organisation
print(create_websocket_key(organisation=organisation, created_by=None, name="Test", {restrictions}).value)
"""
OTHERS = """
from accounts.key_lifecycle import create_websocket_key
from accounts.models import Organisation
organisation = Organisation.objects.create(name="Many readers")
print(create_websocket_key(organisation=organisation, created_by=None, name="Test").value)
"""
USED_UP = """
from accounts.key_lifecycle import create_websocket_key
from accounts.models import Organisation
from billing.models import UsagePeriod
from billing.periods import current_month
from billing.plans import FREE
organisation = Organisation.objects.create(name="Used up")
month = dict(start=current_month().starts_at, end=current_month().ends_at)
UsagePeriod.objects.create(organisation=organisation, runs=FREE.runs_per_month, **month)
print(create_websocket_key(organisation=organisation, created_by=None, name="Test").value)
"""


@pytest.fixture(scope="module")
def host() -> Iterator[HostSite]:
    with host_site() as site:
        yield site


@pytest.fixture
def line(tab: Tab) -> Iterator[Line]:
    with line_to(tab.site.service.port) as line:
        yield line
        # Or the widget would miss the line when it ends; that it was missed before is what such a test expects.
        tab.page.close()
        tab.complaints.clear()


def shell(service: Service, code: str) -> str:
    return service.manage("shell", "-v", "0", "-c", code).decode().strip()


def opened(tab: Tab, host: HostSite, key: str, program: str = "print('ran')", **data: str) -> Widget:
    tab.page.goto(host.put(element(key, program, **data) + script(tab.site)))
    return Widget(tab.page)


def expect_refused(widget: Widget, words: str) -> None:
    expect(widget.log).to_contain_text(words)
    expect(widget.status).to_have_text("Not run.")
    expect(widget.button("Run")).to_have_attribute("aria-disabled", "false")
    expect(widget.log).not_to_contain_text("ran")
    assert widget.text() == "print('ran')\n"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "its data-key attribute is missing"),
        ("wk_nobodys", "This is no key of this service"),
        ("API_KEY", "Use a WebSocket key here"),
    ],
)
def test_a_wrong_key(tab: Tab, host: HostSite, key: str, words: str) -> None:
    widget = opened(tab, host, tab.site.service.demo["api_key"] if key == "API_KEY" else key)
    widget.run()
    expect_refused(widget, words)


def test_a_page_that_is_none_of_the_keys_origins(tab: Tab, host: HostSite) -> None:
    key = shell(tab.site.service, KEY.format(restrictions="origins=['https://example.com']"))
    widget = opened(tab, host, key)
    widget.run()
    expect_refused(widget, "may not be used from this page")
    allowed = shell(tab.site.service, KEY.format(restrictions=f"origins=['{host.url}']"))
    widget.host.evaluate("(host, key) => host.dataset.key = key", allowed)
    widget.run()
    expect(widget.log).to_have_text("ran\n", use_inner_text=True)
    # Another key is another connection, also when there is one.
    widget.host.evaluate("(host, key) => host.dataset.key = key", key)
    widget.run()
    expect_refused(widget, "may not be used from this page")


def test_an_address_that_is_in_none_of_the_keys_networks(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, shell(tab.site.service, KEY.format(restrictions="networks=['192.0.2.0/24']")))
    widget.run()
    expect_refused(widget, "may not be used from 127.0.0.1")


def test_a_month_that_is_used_up(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, shell(tab.site.service, USED_UP))
    widget.run()
    expect_refused(widget, "runs")


def test_more_readers_than_the_plan_has_connections_for(tab: Tab, host: HostSite) -> None:
    key = shell(tab.site.service, OTHERS)
    address = tab.site.service.url.replace("http", "ws", 1) + "/ws/run/"
    widget = opened(tab, host, key)
    with ExitStack() as readers:
        for _ in range(FREE.concurrent_connections):
            reader = readers.enter_context(connect(address, additional_headers={"Authorization": key}))
            assert '"ready"' in str(reader.recv(30))
        widget.run()
        expect_refused(widget, "onnections")
    widget.run()
    expect(widget.log).to_have_text("ran\n", use_inner_text=True)


def test_two_runs_within_a_second(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, tab.site.service.demo["websocket_key"], "pass")
    widget.run()
    expect(widget.status).to_have_text(DONE)
    for _ in range(20):
        # Not every pair is within a second when the machine is busy.
        widget.button("Run").click()
        expect(widget.status).to_have_text(re.compile("^(exit 0|Not run)"))
        if widget.status.inner_text() == "Not run.":
            break
    expect(widget.log).to_contain_text("Too many runs")
    tab.page.wait_for_timeout(1_100)
    widget.button("Run").click()
    expect(widget.status).to_have_text(DONE)


def test_a_language_that_the_service_does_not_know(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, tab.site.service.demo["websocket_key"], lang="cobol-85")
    expect(widget.languages).to_have_value("cobol-85")
    widget.run()
    expect_refused(widget, "cobol-85")


def test_a_language_that_is_not_installed(tab: Tab, host: HostSite) -> None:
    def answer(route, _request) -> None:  # type: ignore[no-untyped-def]
        """Everything is installed where the tests run: the list says otherwise of one."""
        listed = route.fetch().json()
        route.fulfill(json=[entry | {"available": entry["id"] != "gcc-15"} for entry in listed])

    assert "gcc-15" in COMPILERS
    tab.page.route("**/api/compilers/", answer)
    widget = opened(tab, host, tab.site.service.demo["websocket_key"], "x", lang="gcc-15")
    expect(widget.languages.locator("option:checked")).to_have_text("C (GCC 15) – not installed")
    other = opened(tab, host, tab.site.service.demo["websocket_key"], "x")
    expect(other.languages.locator("option").nth(1)).to_be_attached()
    expect(other.languages.locator("option[value='gcc-15']")).to_have_count(0)


# --- The line breaks ---


def cut_page(tab: Tab, host: HostSite, line: Line, program: str) -> Widget:
    key = tab.site.service.demo["websocket_key"]
    tab.page.goto(host.put(element(key, program) + f'<script src="{line.url}/widget.js"></script>'))
    widget = Widget(tab.page)
    expect(widget.languages.locator("option").nth(1)).to_be_attached()
    return widget


def test_a_line_that_breaks_during_a_run_is_said_and_mended(tab: Tab, host: HostSite, line: Line) -> None:
    widget = cut_page(tab, host, line, "import time\nprint('on', flush=True)\ntime.sleep(25)")
    widget.run()
    expect(widget.log).to_have_text("on\n", use_inner_text=True)
    line.cut()
    expect(widget.log).to_contain_text("The connection was lost, and the run ended with it.")
    expect(widget.status).to_have_text(re.compile(r"^No connection to 127\.0\.0\.1:\d+\. Trying again in \d+ s …"))
    expect(widget.button("Run")).to_have_attribute("aria-disabled", "false")
    line.mend()
    expect(widget.status).to_have_text("Connected again. Nothing is running.")
    widget.run("print('again')")
    expect(widget.log).to_have_text("again\n", use_inner_text=True)


def test_a_line_that_went_dead_without_a_word_is_found_out(tab: Tab, host: HostSite, line: Line) -> None:
    tab.page.clock.install()
    widget = cut_page(tab, host, line, "import time\nprint('on', flush=True)\ntime.sleep(25)")
    widget.run()
    expect(widget.log).to_have_text("on\n", use_inner_text=True)
    line.hold()
    tab.page.clock.fast_forward(21_000)
    expect(widget.status).to_have_text("Running …")
    tab.page.clock.fast_forward(11_000)
    expect(widget.log).to_contain_text("The connection was lost")
    line.release()
    expect(widget.status).to_have_text("Connected again. Nothing is running.")


def test_a_run_waits_for_the_line_and_starts_by_itself(tab: Tab, host: HostSite, line: Line) -> None:
    widget = cut_page(tab, host, line, "print('ran')")
    line.cut()
    widget.run()
    expect(widget.status).to_have_text(re.compile("^No connection to"))
    line.mend()
    expect(widget.log).to_have_text("ran\n", use_inner_text=True)


def test_waiting_for_the_line_can_be_stopped(tab: Tab, host: HostSite, line: Line) -> None:
    widget = cut_page(tab, host, line, "print('ran')")
    line.cut()
    widget.run()
    expect(widget.status).to_have_text(re.compile("^No connection to"))
    widget.button("Stop").click()
    expect(widget.status).to_have_text("Stopped.")
    line.mend()
    tab.page.wait_for_timeout(2_500)
    expect(widget.status).to_have_text("Stopped.")


def test_a_kept_connection_that_died_unnoticed_costs_the_reader_nothing(tab: Tab, host: HostSite, line: Line) -> None:
    widget = cut_page(tab, host, line, "print('ran')")
    widget.run()
    expect(widget.status).to_have_text(DONE)
    line.cut()
    line.mend()
    widget.run("print('ran again')")
    expect(widget.log).to_have_text("ran again\n", use_inner_text=True)


def test_a_service_that_is_away_when_the_page_opens(tab: Tab, host: HostSite, line: Line) -> None:
    tab.page.route("**/api/compilers/", lambda route: route.abort())
    key = tab.site.service.demo["websocket_key"]
    tab.page.goto(host.put(element(key, "print('ran')") + f'<script src="{line.url}/widget.js"></script>'))
    widget = Widget(tab.page)
    expect(widget.status).to_have_text(re.compile(r"^No connection to 127\.0\.0\.1:\d+\. Trying again …"))
    assert widget.text() == "print('ran')\n"
    tab.page.unroute("**/api/compilers/")
    expect(widget.languages.locator("option").nth(1)).to_be_attached()
    expect(widget.status).to_have_text("Ready.")
