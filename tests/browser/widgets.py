"""Widgets under the hands: what a test reads and presses in one, and the lines of HTML that make one."""

from html import escape

from playwright.sync_api import Locator, Page

from tests.browser.conftest import Site


def element(key: str, program: str = "", **data: str) -> str:
    """`element(key, "print(1)", lang="go-1.26")`"""
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in {"key": key, **data}.items())
    return f'<div class="runcode"{attributes}>{escape(program)}</div>'


def script(site: Site, attributes: str = "") -> str:
    return f'<script src="{site.service.url}/widget.js"{attributes}></script>'


class Widget:
    """One editor of a page. Locators reach into its shadow root."""

    def __init__(self, page: Page, host: str = ".runcode") -> None:
        self.page = page
        self.host = page.locator(host)

    def button(self, name: str) -> Locator:
        return self.host.get_by_role("button", name=name, exact=True)

    @property
    def code(self) -> Locator:
        return self.host.get_by_role("textbox", name="Program")

    @property
    def languages(self) -> Locator:
        return self.host.get_by_label("Language")

    @property
    def stdin(self) -> Locator:
        return self.host.get_by_label("Input", exact=True)

    @property
    def line(self) -> Locator:
        return self.host.get_by_label("Input for the running program")

    @property
    def log(self) -> Locator:
        return self.host.get_by_role("log")

    @property
    def status(self) -> Locator:
        return self.host.get_by_role("status")

    def text(self) -> str:
        """The program, line by line as the editor shows it."""
        lines: list[str] = self.code.locator(".cm-line").all_inner_texts()
        return "\n".join(line.rstrip("\n") for line in lines)

    def run(self, program: str | None = None) -> None:
        if program is not None:
            self.code.fill(program)
        self.button("Run").click()
