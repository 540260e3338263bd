"""The widget as an editor: its attributes, its keys, its languages."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from execution.catalogue import COMPILERS
from tests.browser.conftest import Tab
from tests.browser.widgets import Widget, element, script
from tests.widgets.host_site import HostSite, host_site


@pytest.fixture(scope="module")
def host() -> Iterator[HostSite]:
    with host_site() as site:
        yield site


def opened(tab: Tab, host: HostSite, program: str = "", **data: str) -> Widget:
    tab.page.goto(host.put(element("wk_none", program, **data) + script(tab.site)))
    widget = Widget(tab.page)
    expect(widget.code).to_be_visible()
    return widget


def test_the_elements_text_is_the_program_without_its_indentation(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "\n    if True:\n        print('<b>')\n\n    print(2)\n  ")
    assert widget.text() == "if True:\n    print('<b>')\n\nprint(2)\n"


def test_without_text_it_shows_the_languages_sample(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, lang="g++-15")
    expect(widget.code).to_contain_text("#include")
    widget.languages.select_option("python-3.14")
    expect(widget.code).to_contain_text("print(")
    expect(widget.code).not_to_contain_text("#include")


def test_what_was_written_stays_when_the_language_changes_and_goes_with_reset(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, lang="g++-15")
    expect(widget.code).to_contain_text("#include")
    widget.code.fill("mine")
    widget.languages.select_option("python-3.14")
    assert widget.text() == "mine"
    widget.button("Reset").click()
    expect(widget.languages).to_have_value("g++-15")
    expect(widget.code).to_contain_text("#include")


def test_the_program_can_be_copied(tab: Tab, host: HostSite) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=host.url)
    widget = opened(tab, host, "print('copied')")
    widget.button("Copy").click()
    expect(widget.button("Copied")).to_be_visible()
    assert tab.page.evaluate("navigator.clipboard.readText()") == "print('copied')\n"
    expect(widget.button("Copy")).to_be_visible()


def test_tab_indents_and_escape_lets_it_leave(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "x")
    widget.code.click()
    tab.page.keyboard.press("Control+Home")
    tab.page.keyboard.press("Tab")
    assert widget.text() == "    x\n"
    tab.page.keyboard.press("Shift+Tab")
    assert widget.text() == "x\n"
    expect(widget.code).to_be_focused()
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("Tab")
    expect(widget.log).to_be_focused()
    assert widget.text() == "x\n"
    tab.page.keyboard.press("Shift+Tab")
    expect(widget.code).to_be_focused()


def test_every_control_is_reached_by_the_keyboard_and_shows_it(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "x")
    outline = (
        "(host => { const { outlineStyle, outlineWidth } = getComputedStyle(host.shadowRoot.activeElement);"
        "return outlineStyle + ' ' + outlineWidth })"
    )
    order = [widget.languages, *(widget.button(name) for name in ("Copy", "Reset", "Stop", "Run"))]
    for control in order:
        tab.page.keyboard.press("Tab")
        expect(control).to_be_focused()
        assert widget.host.evaluate(outline) == "solid 2px"
    tab.page.keyboard.press("Tab")
    expect(widget.code).to_be_focused()
    assert widget.host.locator(".cm-editor").evaluate("e => getComputedStyle(e).outlineWidth") == "2px"


def test_it_tells_a_screen_reader_what_is_what(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "x")
    expect(widget.host.get_by_role("group", name="Code editor")).to_be_visible()
    expect(widget.code).to_have_accessible_description(re.compile("press Escape first"))
    expect(widget.stdin).to_have_accessible_description(re.compile("Leave it empty to type"))
    expect(widget.log).to_have_attribute("aria-live", "polite")
    expect(widget.log).to_have_accessible_name("Output")
    expect(widget.button("Stop")).to_have_attribute("aria-disabled", "true")


def test_it_offers_what_can_run_here_in_the_catalogues_order(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host)
    expect(widget.languages.locator("option").nth(1)).to_be_attached()
    offered = [option.get_attribute("value") for option in widget.languages.locator("option").all()]
    assert offered == [id_ for id_ in COMPILERS if id_ in offered]
    assert {"python-3.14", "gcc-15", "g++-15"} <= set(offered)


def test_every_language_is_highlighted(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host)
    expect(widget.languages.locator("option").nth(1)).to_be_attached()
    # A span with a class of the highlighter's, in a colour of its own.
    coloured = widget.code.locator(".cm-line span[class*='ͼ']")
    plain = widget.code.evaluate("element => getComputedStyle(element).color")
    for compiler in COMPILERS.values():
        # Also those that are not installed here.
        widget.host.evaluate("(host, language) => host.dataset.lang = language", compiler.id)
        expect(widget.languages).to_have_value(compiler.id)
        expect(widget.code).to_contain_text(compiler.sample.strip().splitlines()[0].strip())
        expect(coloured.first, compiler.id).to_be_visible()
        colours = [span.evaluate("element => getComputedStyle(element).color") for span in coloured.all()]
        assert set(colours) - {plain}, compiler.id


def test_it_follows_its_attributes(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "x")
    background = "element => getComputedStyle(element.shadowRoot.firstElementChild).backgroundColor"
    dark = widget.host.evaluate(background)
    widget.host.evaluate("e => { e.dataset.theme = 'light'; e.dataset.height = '500'; e.dataset.lang = 'gcc-15' }")
    expect(widget.languages).to_have_value("gcc-15")
    assert widget.host.evaluate(background) != dark
    assert widget.host.bounding_box()["height"] == 500  # type: ignore[index]


@pytest.mark.parametrize(("height", "shown"), [("", 400), ("tall", 400), ("20", 220), ("-5", 220), ("300px", 300)])
def test_a_height_that_is_none_breaks_nothing(tab: Tab, host: HostSite, height: str, shown: int) -> None:
    widget = opened(tab, host, "x", height=height)
    assert widget.host.bounding_box()["height"] == shown  # type: ignore[index]


def test_the_page_does_not_hear_what_is_typed(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "x")
    tab.page.evaluate("window.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key))")
    widget.code.click()
    tab.page.keyboard.type("/s?")
    widget.stdin.fill("")
    widget.stdin.press("j")
    assert tab.page.evaluate("heard") == []


def test_nothing_moves_for_who_wants_it_so(tab: Tab, host: HostSite) -> None:
    tab.page.emulate_media(reduced_motion="reduce")
    widget = opened(tab, host, "x")
    widget.code.click()
    moving = "host => host.shadowRoot.getAnimations().map((animation) => animation.animationName ?? 'transition')"
    assert widget.host.evaluate(moving) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("height", ["220", "400"])
def test_everything_fits_on_a_phone(tab: Tab, host: HostSite, theme: str, height: str) -> None:
    tab.page.set_viewport_size({"width": 320, "height": 640})
    widget = opened(tab, host, "x", theme=theme, height=height)
    frame = widget.host.bounding_box()
    assert frame
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 320
    controls = [widget.languages, widget.button("Run"), widget.code, widget.stdin, widget.log, widget.status]
    for control in controls:
        box = control.bounding_box()
        assert box
        assert box["height"] > 10
        assert box["x"] >= frame["x"]
        assert box["x"] + min(box["width"], 40) <= frame["x"] + frame["width"]
        assert box["y"] + 10 <= frame["y"] + frame["height"]
