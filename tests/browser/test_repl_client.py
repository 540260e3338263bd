"""/lib/api.js in a browser, on a page that has nothing to do with the service."""

import time

from accounts.client_tokens import make_client_token
from tests.browser.conftest import Tab


def test_a_page_of_any_origin_evaluates(tab: Tab) -> None:
    service = tab.site.service
    token = make_client_token(secret=service.demo["secret"], created_ms=int(time.time() * 1000))
    tab.page.set_content("<title>Elsewhere</title>")
    tab.page.add_script_tag(url=f"{service.url}/lib/api.js")
    script = """async ([port, token]) => {
        const [time_created, msg_mac] = token.split(":");
        const repl = new ReplitClient("127.0.0.1", port, "ruby", { time_created, msg_mac });
        await repl.connect();
        let said = "";
        await repl.evaluate("x = 6 * 7; puts 'hi'", { stdout: (text) => { said += text; } });
        const { data } = await repl.evaluate("x");
        const once = await repl.evaluateOnce("2 ** 10");
        await repl.disconnect();
        return [said, data, once.data];
    }"""
    assert tab.page.evaluate(script, [service.port, token]) == ["hi\n", "42", "1024"]
