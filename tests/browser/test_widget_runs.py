"""The widget runs programs: on somebody else's page, over the real service."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Tab
from tests.browser.widgets import Widget, element, script
from tests.pages.test_docs_examples import fences
from tests.server import wait_until
from tests.widgets.host_site import HostSite, host_site

DONE = re.compile(r"^exit 0")


@pytest.fixture(scope="module")
def host() -> Iterator[HostSite]:
    with host_site() as site:
        yield site


def opened(tab: Tab, host: HostSite, program: str, **data: str) -> Widget:
    key = tab.site.service.demo["websocket_key"]
    tab.page.goto(host.put(element(key, program, **data) + script(tab.site)))
    return Widget(tab.page)


def test_the_lines_of_the_contract_work_as_they_stand(tab: Tab, host: HostSite) -> None:
    lines = """
<div class="runcode" data-key="WS_KEY" data-lang="openjdk-25" data-theme="light" data-height="300"></div>
<div id="runcode" data-key="WS_KEY"></div>
<script src="BASE/widget.js"></script>
"""
    demo = tab.site.service.demo
    tab.page.goto(host.put(lines.replace("WS_KEY", demo["websocket_key"]).replace("BASE", tab.site.service.url)))
    java, python = Widget(tab.page, ".runcode"), Widget(tab.page, "#runcode")
    expect(java.languages).to_have_value("openjdk-25")
    expect(python.languages).to_have_value("python-3.14")
    assert java.host.bounding_box()["height"] == 300  # type: ignore[index]
    assert python.host.bounding_box()["height"] == 400  # type: ignore[index]
    assert java.host.locator(".widget").get_attribute("data-theme") == "light"
    assert python.host.locator(".widget").get_attribute("data-theme") == "dark"
    for widget in (java, python):
        widget.run()
        expect(widget.log).to_have_text("Hello, World!\n", use_inner_text=True)
        expect(widget.status).to_have_text(re.compile(r"^exit 0.*time \d+\.\d{4} s.*memory \d+\.\d MB$"))


@pytest.mark.parametrize("number", [0, 1])
def test_the_examples_of_the_documentation_run(tab: Tab, host: HostSite, number: int) -> None:
    example = fences("widget", "html")[number]
    demo = tab.site.service.demo
    tab.page.goto(host.put(example.replace("$WS_KEY", demo["websocket_key"]).replace("$BASE", tab.site.service.url)))
    widget = Widget(tab.page)
    widget.run()
    expect(widget.log).to_have_text("Hello, World!\n", use_inner_text=True)


def test_output_appears_while_the_program_runs(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "import time\nfor n in range(60):\n    print(n, flush=True)\n    time.sleep(0.5)")
    widget.run()
    expect(widget.log).to_contain_text("0\n1\n2\n", use_inner_text=True)
    expect(widget.status).to_have_text("Running …")
    widget.button("Stop").click()
    expect(widget.status).to_have_text("Stopped.")


def test_a_running_program_reads_what_is_typed(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, 'name = input("Your name? ")\nprint(f"Hello, {name}!")\nprint(input())')
    widget.run()
    expect(widget.log).to_have_text("Your name? ", use_inner_text=True)
    widget.line.fill("Ada")
    widget.line.press("Enter")
    expect(widget.log).to_have_text("Your name? Ada\nHello, Ada!\n", use_inner_text=True)
    expect(widget.line).to_have_value("")
    widget.line.fill("second")
    widget.button("Send").click()
    expect(widget.status).to_have_text(DONE)
    expect(widget.log).to_contain_text("second\nsecond\n", use_inner_text=True)
    expect(widget.line).to_be_hidden()


@pytest.mark.parametrize("how", ["button", "key"])
def test_typed_input_can_be_ended(tab: Tab, host: HostSite, how: str) -> None:
    widget = opened(tab, host, "import sys\nprint(len(sys.stdin.read()))")
    widget.run()
    widget.line.fill("abc")
    widget.line.press("Enter")
    if how == "button":
        widget.button("End").click()
    else:
        widget.line.press("Control+d")
    expect(widget.status).to_have_text(DONE)
    expect(widget.log).to_have_text("abc\n4\n", use_inner_text=True)


def test_a_filled_input_box_is_all_that_the_program_reads(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "import sys\nprint(sys.stdin.read()[::-1])")
    widget.stdin.fill("olleh")
    widget.run()
    expect(widget.log).to_have_text("hello\n", use_inner_text=True)
    expect(widget.line).to_be_hidden()
    expect(widget.stdin).to_have_value("olleh")


@pytest.mark.parametrize("keys", ["Control+Enter", "Meta+Enter"])
def test_the_keyboard_runs_from_the_editor_and_from_the_input_box(tab: Tab, host: HostSite, keys: str) -> None:
    widget = opened(tab, host, "print(6 * 7)")
    widget.code.press(keys)
    expect(widget.log).to_have_text("42\n", use_inner_text=True)
    assert widget.text() == "print(6 * 7)\n"
    tab.page.wait_for_timeout(1_100)  # a connection starts one run a second
    widget.stdin.fill("x")
    widget.stdin.press(keys)
    expect(widget.log).to_have_text("42\n", use_inner_text=True)
    expect(widget.status).to_have_text(DONE)


def test_stopping_ends_the_program_and_the_next_run_is_right(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "while True: pass")
    widget.run()
    expect(widget.status).to_have_text("Running …")
    expect(widget.button("Run")).to_have_attribute("aria-disabled", "true")
    widget.button("Stop").click()
    expect(widget.status).to_have_text("Stopped.")
    tab.page.wait_for_timeout(1_100)
    widget.run("print('on')")
    expect(widget.log).to_have_text("on\n", use_inner_text=True)


def test_errors_stand_apart_from_output(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)")
    widget.run()
    expect(widget.status).to_have_text(re.compile(r"^exit 3"))
    expect(widget.log.locator("[data-kind=stdout]")).to_have_text("out\n", use_inner_text=True)
    expect(widget.log.locator("[data-kind=stderr]")).to_have_text("err\n", use_inner_text=True)


def test_a_compilers_messages_are_shown(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "int main() { return nothing; }", lang="gcc-15")
    widget.run()
    expect(widget.log.locator("[data-kind=stderr]")).to_contain_text("nothing")
    expect(widget.status).to_have_text(re.compile(r"^exit 1"))


def test_a_program_that_was_killed_says_why(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "x = []\nwhile True: x.append(' ' * 10_000_000)")
    widget.run()
    expect(widget.status).to_have_text(re.compile(r"^exit 137.*signal 9"))
    expect(widget.log).to_contain_text("more memory or printed more than it may")


def test_what_a_program_prints_stays_text(tab: Tab, host: HostSite) -> None:
    program = r"""
import sys
print('<img src=x onerror="document.title=1"><script>document.title=2</script>')
print("\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b]8;;https://evil.test\x1b\\link\x1b]8;;\x1b\\ \x9b1mbold\x07\x00")
sys.stdout.write("split \x1b[3"); sys.stdout.flush()
import time; time.sleep(0.5)
sys.stdout.write("2mescape\rover\r\n")
"""
    widget = opened(tab, host, program)
    widget.run()
    expect(widget.status).to_have_text(DONE)
    expect(widget.log).to_have_text(
        '<img src=x onerror="document.title=1"><script>document.title=2</script>\nred link bold\nsplit escape\nover\n',
        use_inner_text=True,
    )
    assert widget.log.locator("span").count() == widget.log.locator("*").count()
    assert tab.page.title() == "Host"


def test_a_flood_keeps_its_end_and_the_page_alive(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "for n in range(60_000): print(n)\nprint('the end')")
    widget.run()
    expect(widget.status).to_have_text(DONE)
    expect(widget.log).to_contain_text("the end")
    assert len(widget.log.inner_text()) < 120_000
    assert widget.log.get_attribute("aria-live") == "off"


def test_five_widgets_run_at_once_and_know_nothing_of_each_other(tab: Tab, host: HostSite) -> None:
    key = tab.site.service.demo["websocket_key"]
    programs = [f"name = input()\nprint('{n}', name)" for n in range(5)]
    body = "".join(f'<section id="w{n}">{element(key, program)}</section>' for n, program in enumerate(programs))
    tab.page.goto(host.put(body + script(tab.site)))
    widgets = [Widget(tab.page, f"#w{n} .runcode") for n in range(5)]
    widgets[4].languages.select_option("gcc-15")
    widgets[4].languages.select_option("python-3.14")
    # As many as may run at once with one key: the rate of a connection is its own, the seats are the plan's.
    for widget in widgets:
        widget.run()
    for n, widget in enumerate(widgets):
        expect(widget.line).to_be_visible()
        widget.line.fill(f"reader {n}")
    for n, widget in reversed(list(enumerate(widgets))):
        widget.line.press("Enter")
        expect(widget.log).to_have_text(f"reader {n}\n{n} reader {n}\n", use_inner_text=True)
    assert tab.site.service.usage()["connections"] == 5


def test_a_page_that_is_only_looked_at_takes_no_connection(tab: Tab, host: HostSite) -> None:
    sockets: list[str] = []
    tab.page.on("websocket", lambda socket: sockets.append(socket.url))
    widget = opened(tab, host, "print(1)")
    widget.code.click()
    tab.page.keyboard.type("# ")
    expect(widget.languages.locator("option").nth(1)).to_be_attached()
    assert not sockets
    widget.run("print(1)")
    expect(widget.status).to_have_text(DONE)
    assert sockets == [tab.site.service.url.replace("http", "ws", 1) + "/ws/run/"]


def test_a_page_that_is_left_ends_its_run_and_comes_back_as_it_was(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "print('as it was')")
    widget.run("import time\nprint('on', flush=True)\ntime.sleep(25)")
    expect(widget.log).to_have_text("on\n", use_inner_text=True)
    connections = tab.site.service.usage()["connections"]
    tab.page.goto(host.put("elsewhere"))
    wait_until(lambda: tab.site.service.usage()["connections"] < connections, lambda: "the connection is still open")
    tab.page.go_back()
    widget.run("print('back')")
    expect(widget.log).to_have_text("back\n", use_inner_text=True)


def test_a_silent_program_is_not_taken_for_a_dead_line(tab: Tab, host: HostSite) -> None:
    tab.page.clock.install()
    widget = opened(tab, host, "import time\nprint('on', flush=True)\ntime.sleep(25)")
    with tab.page.expect_websocket() as opening:
        widget.run()
    expect(widget.log).to_have_text("on\n", use_inner_text=True)
    for _ in range(3):
        with opening.value.expect_event("framereceived", lambda frame: frame == '{"type":"pong"}'):
            tab.page.clock.fast_forward(21_000)
    expect(widget.status).to_have_text("Running …")
    widget.button("Stop").click()
    expect(widget.status).to_have_text("Stopped.")


def test_a_connection_is_given_back_when_nothing_has_run_for_a_while(tab: Tab, host: HostSite) -> None:
    tab.page.clock.install()
    widget = opened(tab, host, "print(1)")
    with tab.page.expect_websocket() as opening:
        widget.run()
    expect(widget.status).to_have_text(DONE)
    tab.page.clock.fast_forward(20_000)
    tab.page.wait_for_timeout(500)
    assert not opening.value.is_closed()
    with opening.value.expect_event("close"):
        tab.page.clock.fast_forward(11_000)
    widget.run("print(2)")
    expect(widget.log).to_have_text("2\n", use_inner_text=True)


def test_an_editor_that_leaves_the_page_ends_its_run(tab: Tab, host: HostSite) -> None:
    widget = opened(tab, host, "import time\ntime.sleep(25)")
    with tab.page.expect_websocket() as opening:
        widget.run()
    expect(widget.status).to_have_text("Running …")
    with opening.value.expect_event("close"):
        tab.page.evaluate("window.kept = document.querySelector('.runcode'); kept.remove()")
    tab.page.evaluate("document.body.append(kept)")
    expect(widget.status).to_have_text("Stopped.")
    assert widget.text() == "import time\ntime.sleep(25)\n"
    widget.run("print('back')")
    expect(widget.log).to_have_text("back\n", use_inner_text=True)
