"""The web process goes: by a signal that it may answer, and by one that it may not. The stock client comes back."""

from collections.abc import Iterator

import pytest

from tests.repl import stock
from tests.repl.conftest import new_token
from tests.server import Service, running_service

SCRIPT = """
    const repl = await connected("python3");
    const back = new Promise((there) => repl.once("connected", there));
    const running = repl.evaluate("print('begun')\\nwhile True: pass", say);
    await until(() => said === "begun\\n");
    process.kill(Number(process.env.WEB), process.env.SIGNAL);
    const pending = process.env.SIGNAL === "SIGTERM" ? await running : null;
    await back;
    return [pending, (await repl.evaluate("6 * 7", say)).data];
"""


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service() as service:
        yield service


def run(service: Service, signal: str) -> tuple[dict[str, str] | None, str]:
    token = new_token(service.demo["secret"])
    pending, value = stock.run(service, token, SCRIPT, WEB=str(service.web), SIGNAL=signal)
    return pending, value


def test_after_a_kill_the_client_has_a_fresh_session(service: Service) -> None:
    assert run(service, "SIGKILL") == (None, "42")
    assert service.usage()["connections"] <= 1


def test_a_process_that_is_stopped_answers_what_is_pending(service: Service) -> None:
    pending, value = run(service, "SIGTERM")
    assert pending is not None
    assert pending["error"].startswith("The service is being restarted.")
    assert value == "42"
