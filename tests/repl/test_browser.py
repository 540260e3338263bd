"""The stock client in chromium, on a page of another origin."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.repl import stock
from tests.server import Service
from tests.widgets.host_site import host_site

Token = Callable[..., str]

# What a bundler makes of `require`: each module is a function, called once.
LOADER = """
const modules = {}, loaded = {};
const require = (name) => {
  if (!loaded[name]) { loaded[name] = { exports: {} }; modules[name](loaded[name], loaded[name].exports); }
  return loaded[name].exports;
};
"""
MODULES = {
    "events": "events/events.js",
    "bluebird": "bluebird/js/browser/bluebird.js",
    "replit-client": "replit-client/dist.js",
}


@pytest.fixture
def page() -> Iterator[Page]:
    bundle = LOADER
    for name, path in MODULES.items():
        text = (stock.packages() / "node_modules" / path).read_text(encoding="utf-8")
        bundle += f"modules[{json.dumps(name)}] = (module, exports) => {{\n{text}\n}};\n"
    with host_site() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(site.put("A customer's page", head=f"<script>{bundle}</script>"))
        yield page
        browser.close()


def test_connect_evaluate_and_evaluate_once(page: Page, service: Service, token: Token) -> None:
    host, _, port = service.url.removeprefix("http://").partition(":")
    verdict = page.evaluate(
        """async ([host, port, token]) => {
            const ReplitClient = require("replit-client");
            const repl = new ReplitClient(host, port, "python3", token);
            let said = "";
            const say = { stdout: (text) => { said += text; } };
            await repl.connect();
            await repl.evaluate("x = 6 * 7\\nprint('hi')", say);
            const kept = await repl.evaluate("x", say);
            const once = await repl.evaluateOnce("print('once')\\n2 ** 10", say);
            const refused = await new ReplitClient(host, port, "cobol", token).evaluateOnce("1", say)
              .catch((error) => error.message);
            await repl.disconnect();
            return [kept.data, once.data, said, refused];
        }""",
        [host, port, token()],
    )
    assert verdict[:3] == ["42", "1024", "hi\nonce\n"]
    assert verdict[3].startswith("“cobol” is no language here.")
