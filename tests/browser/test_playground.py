"""The playground under the hands: keys, stopping, what survives a reload."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Tab


@pytest.fixture
def page(tab: Tab) -> Page:
    tab.sign_in()
    page = tab.open("/playground/")
    page.get_by_label("Program").fill("")
    return page


def test_control_enter_runs_from_within_the_editor(page: Page) -> None:
    page.get_by_label("Program").fill("print(6 * 7)")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-output]")).to_have_text("42\n")


def test_tab_indents_and_escape_lets_it_leave(page: Page) -> None:
    code = page.get_by_label("Program")
    code.click()
    page.keyboard.press("Tab")
    page.keyboard.type("x")
    expect(code).to_have_value("    x")
    page.keyboard.press("Shift+Tab")
    expect(code).to_have_value("x")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Standard input")).to_be_focused()


def test_a_new_line_keeps_the_indentation(page: Page) -> None:
    code = page.get_by_label("Program")
    code.click()
    page.keyboard.type("if True:")
    page.keyboard.press("Enter")
    page.keyboard.type("pass")
    expect(code).to_have_value("if True:\n    pass")
    page.keyboard.press("Control+z")
    expect(code).not_to_have_value("if True:\n    pass")


def test_several_lines_are_indented_together(page: Page) -> None:
    code = page.get_by_label("Program")
    code.fill("a\nb")
    page.keyboard.press("Control+a")
    page.keyboard.press("Tab")
    expect(code).to_have_value("    a\n    b")
    page.keyboard.press("Shift+Tab")
    expect(code).to_have_value("a\nb")


def test_lines_are_numbered(page: Page) -> None:
    page.get_by_label("Program").fill("a\nb\nc")
    expect(page.locator(".editor__lines")).to_have_text("1\n2\n3")


def test_a_stopped_run_ends_and_is_not_counted(tab: Tab, page: Page) -> None:
    before = tab.site.service.usage()["runs_used"]
    page.get_by_label("Program").fill("import time\ntime.sleep(25)")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    expect(page.get_by_role("button", name="Run")).to_be_enabled()
    page.get_by_label("Program").fill("print(1)")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("[data-exit-code]")).to_have_text("0")
    assert tab.site.service.usage()["runs_used"] == before + 1


def test_another_compiler_brings_its_sample_unless_something_was_written(page: Page) -> None:
    code = page.get_by_label("Program")
    page.get_by_label("Compiler").select_option("g++-15")
    expect(code).to_have_value(re.compile("#include"))
    page.get_by_label("Compiler").select_option("python-3.14")
    expect(code).to_have_value(re.compile("^print"))
    code.fill("mine")
    page.get_by_label("Compiler").select_option("g++-15")
    expect(code).to_have_value("mine")


def test_what_was_written_survives_a_reload(page: Page) -> None:
    page.get_by_label("Program").fill("print('kept')")
    page.get_by_label("Standard input").fill("in")
    page.reload()
    expect(page.get_by_label("Program")).to_have_value("print('kept')")
    expect(page.get_by_label("Standard input")).to_have_value("in")


def test_what_a_program_prints_is_inert(tab: Tab, page: Page) -> None:
    page.get_by_label("Program").fill(
        "print('<img src=x onerror=\"document.title=1\"><script>document.title=2</script>')"
    )
    page.get_by_role("button", name="Run").click()
    expect(page.locator("[data-output]")).to_contain_text("<script>")
    assert page.locator("[data-output] *").count() == 0
    assert page.title() == "Playground · Runcode"


def test_signed_out_meanwhile_leads_to_the_sign_in_page(tab: Tab, page: Page) -> None:
    tab.context.clear_cookies(name="session")
    page.get_by_label("Program").fill("print(1)")
    page.get_by_role("button", name="Run").click()
    page.wait_for_url("**/accounts/login/**")
    tab.complaints.clear()
