"""A real browser on the real service. Whatever a page complains about (a script error, something that the content
security policy refused, an answer that is an error) fails the test, unless the test says that it expects it."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.server import Service, running_service, wait_until

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 30_000
# As long as for everything else: a compiler on a busy machine takes more than the five seconds that are usual.
expect.set_options(timeout=PATIENCE_MS)
PASSWORD = "correct-horse-battery-staple"


@dataclass
class Site:
    """The service with a box into which its mails fall, reached by the name under which passkeys work."""

    service: Service
    box: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.service.port}"

    def link_to(self, address: str, *, containing: str) -> str:
        """The path in the newest mail to this address that leads to `containing`."""
        found: list[str] = []

        def arrived() -> bool:
            for path in sorted(self.box.iterdir(), key=lambda path: path.stat().st_mtime_ns):
                text = path.read_text(encoding="utf-8")
                if f"To: {address}" in text:
                    found.extend(re.findall(rf"https?://[^\s/]+(/\S*{containing}\S*)", text))
            return bool(found)

        wait_until(arrived, lambda: f"no mail with {containing} for {address}")
        return found[-1]


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with (
        tempfile.TemporaryDirectory(prefix="runcode-mails-") as box,
        # The settings' library takes the slash before the path for itself.
        running_service(RUNCODE_EMAIL_URL=f"filemail:///{box}") as service,
    ):
        yield Site(service, Path(box))


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """A browser for one test: between start and end an event loop runs in this thread, on which no asynchronous test of
    the same process could run its own."""
    playwright: Playwright
    with sync_playwright() as playwright:
        # Tests run as root in containers, where Chromium has no sandbox and little shared memory.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@dataclass
class Tab:
    """One window of one reader. `complaints` is what the pages complained about so far."""

    site: Site
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.site.url + path)
        return self.page

    def sign_in(self, email: str = "", password: str = "") -> Page:
        demo = self.site.service.demo
        page = self.open("/accounts/login/")
        page.get_by_label("Email").fill(email or demo["email"])
        page.get_by_label("Password").fill(password or demo["password"])
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url("**/dashboard/")
        return page

    def sign_up(self, email: str) -> Page:
        page = self.open("/accounts/signup/")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign up").click()
        page.get_by_role("heading", name="Confirm your e-mail address").wait_for()
        self.open(self.site.link_to(email, containing="confirm-email"))
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url("**/dashboard/")
        return page


@pytest.fixture
def tab(site: Site, chromium: Browser) -> Iterator[Tab]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    tab = Tab(site, context, context.new_page())

    def watch(page: Page) -> None:
        page.on(
            "console",
            lambda message: tab.complaints.append(message.text) if message.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda error: tab.complaints.append(str(error)))

    watch(tab.page)
    context.on("page", watch)
    yield tab
    context.close()
    assert not tab.complaints
