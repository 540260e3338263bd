"""The widget on other people's pages: their policies, their styles, the ways in which they load scripts."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Tab
from tests.browser.widgets import Widget, element, script
from tests.pages.test_docs_examples import fences
from tests.widgets.host_site import PAUSE, HostSite, host_site

HOSTILE = """
* { all: unset !important; color: red !important; font: 40px serif !important; display: none !important;
    direction: rtl !important; pointer-events: none !important; visibility: hidden !important; }
html, body, section { display: block !important; visibility: visible !important; pointer-events: auto !important; }
div, button, pre, textarea, select, input, span { float: right !important; height: 3px !important; }
.runcode, .widget, .bar, .log, .editor, .cm-editor { opacity: 0 !important; transform: rotate(180deg) !important;
    position: absolute !important; left: -9999px !important; filter: blur(9px) !important; }
html { font-size: 3px; }
"""


@pytest.fixture(scope="module")
def host() -> Iterator[HostSite]:
    with host_site() as site:
        yield site


def key(tab: Tab) -> str:
    return tab.site.service.demo["websocket_key"]


def expect_runs(widget: Widget, output: str = "ran\n") -> None:
    widget.run()
    expect(widget.log).to_have_text(output, use_inner_text=True)
    expect(widget.status).to_have_text(re.compile("^exit 0"))


@pytest.mark.parametrize("attributes", [" async", " defer", ' type="module"', ' crossorigin="anonymous"'])
def test_however_the_script_is_loaded(tab: Tab, host: HostSite, attributes: str) -> None:
    tab.page.goto(host.put(element(key(tab), "print('ran')"), head=script(tab.site, attributes)))
    expect_runs(Widget(tab.page))


@pytest.mark.parametrize("how", ["element", "import"])
def test_loaded_by_another_script(tab: Tab, host: HostSite, how: str) -> None:
    tab.page.goto(host.put(element(key(tab), "print('ran')")))
    url = f"{tab.site.service.url}/widget.js"
    if how == "element":
        tab.page.add_script_tag(url=url)
    else:
        tab.page.evaluate("url => import(url)", url)
    expect_runs(Widget(tab.page))


def test_a_program_that_comes_slowly_is_waited_for(tab: Tab, host: HostSite) -> None:
    program = f"print('one')\n{PAUSE * 2}print('two')\n"
    body = element(key(tab), program) + PAUSE + element(key(tab), "print('three')").replace("runcode", "runcode last")
    tab.page.goto(host.put(body, head=script(tab.site)), wait_until="commit")
    # The first is there before the page is at its end.
    expect(Widget(tab.page, ".runcode:not(.last)").code).to_be_visible()
    widget = Widget(tab.page, ".runcode:not(.last)")
    assert widget.text() == "print('one')\nprint('two')\n"
    assert Widget(tab.page, ".last").text() == "print('three')\n"


def test_a_script_that_stands_there_twice_makes_one_editor(tab: Tab, host: HostSite) -> None:
    tab.page.goto(host.put(element(key(tab), "print('ran')") + script(tab.site) * 2))
    widget = Widget(tab.page)
    expect_runs(widget)
    assert widget.host.locator(".widget").count() == 1
    assert re.fullmatch(r"\d+\.\d+\.\d+", tab.page.evaluate("RuncodeWidget.version"))


def test_elements_that_are_added_later_become_editors(tab: Tab, host: HostSite) -> None:
    tab.page.goto(host.put('<div id="place"></div>' + script(tab.site)))
    tab.page.evaluate("html => place.innerHTML = html", f"<section>{element(key(tab), 'print(1)')}</section>")
    expect_runs(Widget(tab.page), "1\n")
    tab.page.evaluate("html => place.innerHTML = html", element(key(tab), "print(2)"))
    expect_runs(Widget(tab.page), "2\n")


def test_elements_inside_a_shadow_root_are_mounted_by_hand(tab: Tab, host: HostSite) -> None:
    tab.page.goto(host.put('<div id="place"></div>' + script(tab.site)))
    tab.page.evaluate(
        """html => {
            const root = place.attachShadow({ mode: "open" });
            root.innerHTML = html;
            return RuncodeWidget.mount(root.firstElementChild);
        }""",
        element(key(tab), "print('ran')"),
    )
    expect_runs(Widget(tab.page))


@pytest.mark.parametrize("tag", ["pre", "code", "textarea", "figure"])
def test_an_element_that_can_hold_no_editor_gives_its_place_to_one(tab: Tab, host: HostSite, tag: str) -> None:
    line = f'<{tag} class="runcode" data-key="{key(tab)}" data-height="300">\nprint("ran")\n</{tag}>'
    tab.page.goto(host.put(line + script(tab.site)))
    widget = Widget(tab.page)
    expect_runs(widget)
    assert widget.host.bounding_box()["height"] == 300  # type: ignore[index]


@pytest.mark.parametrize("scripts", ["$BASE", "'nonce-abc'", "'nonce-abc' 'strict-dynamic'"])
def test_a_page_with_a_strict_policy(tab: Tab, host: HostSite, scripts: str) -> None:
    url = tab.site.service.url
    (documented,) = fences("widget", "text")
    needed = documented.strip().replace("script-src $BASE", f"script-src {scripts}").replace("$BASE", url)
    needed = needed.replace("wss://the-same-host", url.replace("http", "ws", 1))
    policy = (
        f"default-src 'none'; {needed}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )
    body = element(key(tab), "print('ran')") + script(tab.site, ' nonce="abc"')
    tab.page.goto(host.put(body, headers={"Content-Security-Policy": policy}))
    widget = Widget(tab.page)
    expect_runs(widget)
    # The styles have come, although the page allows none of its own.
    assert widget.host.locator(".widget").evaluate("e => getComputedStyle(e).display") == "flex"
    expect(widget.code.locator("span[class*='ͼ']").first).to_be_visible()
    widget.code.press("Control+m")
    widget.code.press("Tab")
    expect(widget.log).to_be_focused()


def test_a_policy_without_the_service_leaves_the_program_readable(tab: Tab, host: HostSite) -> None:
    policy = {"Content-Security-Policy": f"script-src {tab.site.service.url}/widget.js"}
    tab.page.goto(host.put(element(key(tab), "print('ran')") + script(tab.site), headers=policy))
    text = tab.page.locator(".runcode")
    expect(text).to_contain_text(f"The editor could not be loaded from {tab.site.service.url.removeprefix('http://')}.")
    expect(text).to_contain_text("print('ran')")
    assert any("script-src" in complaint for complaint in tab.complaints)
    tab.complaints.clear()


def test_a_policy_without_connections_is_named(tab: Tab, host: HostSite) -> None:
    policy = {"Content-Security-Policy": "connect-src 'none'"}
    tab.page.goto(host.put(element(key(tab), "print('ran')") + script(tab.site), headers=policy))
    widget = Widget(tab.page)
    expect(widget.status).to_contain_text("This page’s content security policy (connect-src) does not allow")
    assert widget.text() == "print('ran')\n"
    tab.complaints.clear()


def test_a_page_that_is_isolated_from_other_origins(tab: Tab, host: HostSite) -> None:
    headers = {"Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin"}
    tab.page.goto(host.put(element(key(tab), "print('ran')") + script(tab.site), headers=headers))
    assert tab.page.evaluate("crossOriginIsolated")
    expect_runs(Widget(tab.page))


def test_a_page_whose_styles_are_hostile(tab: Tab, host: HostSite) -> None:
    looks = """host => [...host.shadowRoot.querySelectorAll("*")].map((element) => {
        const { color, fontSize, display, position, direction, opacity, height } = getComputedStyle(element);
        return [element.className, color, fontSize, display, position, direction, opacity, height].join(" ");
    })"""
    body = f"<section>{element(key(tab), 'print(1)')}</section>{script(tab.site)}"
    found = []
    for head in ("", f"<style>{HOSTILE}</style>"):
        tab.page.goto(host.put(body, head=f"{head}<style>body {{ margin: 8px }}</style>"))
        widget = Widget(tab.page)
        expect(widget.languages.locator("option").nth(1)).to_be_attached()
        expect(widget.code.locator("span[class*='ͼ']").first).to_be_attached()
        expect(widget.button("Run")).to_be_visible()
        found.append(widget.host.evaluate(looks))
        expect_runs(widget, "1\n")
    assert found[0] == found[1]


def test_its_styles_do_not_reach_the_page(tab: Tab, host: HostSite) -> None:
    others = '<div class="widget">w</div><button class="primary">b</button><div class="log">l</div>'
    look = "[...document.querySelectorAll('body > *')].slice(0, 3).map((e) => JSON.stringify(getComputedStyle(e)))"
    tab.page.goto(host.put(others))
    before = tab.page.evaluate(look)
    tab.page.goto(host.put(others + element(key(tab), "x") + script(tab.site)))
    expect(Widget(tab.page).code).to_be_visible()
    assert tab.page.evaluate(look) == before
