"""The page tells the protocol as it is, and its example works as it stands."""

import json
from collections.abc import Callable

from accounts.caller import Caller
from execution.realtime.outbox import Outbox
from execution.repl.languages import LANGUAGES
from execution.repl.sessions import Session
from tests.pages.test_docs_examples import FOLDER, fences
from tests.server import Service

TEXT = (FOLDER / "replit-client.md").read_text(encoding="utf-8")


def test_the_shell_example_answers_what_it_shows(service: Service, token: Callable[..., str]) -> None:
    (line,), (shown,) = fences("replit-client", "sh"), fences("replit-client", "json")
    # The service's shell adds its options to the first curl of a line.
    answer = service.shell(line.replace("$TOKEN", token()))
    assert json.loads(answer) == json.loads(shown)


def test_every_language_stands_there() -> None:
    assert [name for name in LANGUAGES if f"`{name}`" not in TEXT] == []


def test_every_command_stands_there() -> None:
    async def send(_frame: object) -> None: ...

    session = Session(Caller(1, 0, "token"), LANGUAGES["c"], Outbox(send), scope="")
    commands = [*session._requests, "auth", "select_language", "input", "stop", "reset", "ping"]
    assert [command for command in commands if f"`{command}`" not in TEXT] == []
