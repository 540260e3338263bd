"""docs/websocket.md and docs/socketio.md say what the server does, and their examples work as they stand."""

import re
import subprocess
import sys

import pytest

from execution.realtime import frames
from execution.realtime.packets import EVENTS
from execution.realtime.socket_io_client import AT_ONCE
from tests.clients import node
from tests.pages.test_docs_examples import FOLDER, fences
from tests.server import Service

WEBSOCKET, SOCKET_IO = ((FOLDER / name).read_text(encoding="utf-8") for name in ("websocket.md", "socketio.md"))
# What browsers bring along.
BROWSER = 'import WebSocket from "ws";\nglobalThis.WebSocket = WebSocket;\n'


def filled(code: str, service: Service) -> str:
    return code.replace("$BASE", service.url).replace("$WS_KEY", service.demo["websocket_key"])


def test_the_javascript_example_of_the_websocket_answers(service: Service) -> None:
    (code,) = fences("websocket", "js")
    assert "".join(node.run(BROWSER + filled(code, service)).split("\n")) == "Your name? Hello Adasuccess"


def test_the_python_example_of_the_websocket_answers(service: Service) -> None:
    (code,) = fences("websocket", "python")
    command = [sys.executable, "-c", filled(code, service)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "0\n1\n2\nsuccess\n"


@pytest.mark.parametrize(("number", "printed"), [(0, "hello  success 0"), (1, "Your name? Hello Adasuccess")])
def test_the_examples_of_socket_io_answer(service: Service, number: int, printed: str) -> None:
    code = fences("socketio", "js")[number]
    assert "".join(node.run(filled(code, service)).split("\n")) == printed


def test_every_frame_and_event_stands_in_its_page() -> None:
    listed = re.findall(r"^\| `([a-z_]+)` \|", WEBSOCKET, re.MULTILINE)
    assert set(frames.TYPES) | {"auth"} < set(listed)
    missing = [
        event for event in (*EVENTS, "codeoutput", "output", "state", "refused") if f"`{event}`" not in SOCKET_IO
    ]
    assert not missing


def test_the_limits_that_are_told_are_those_that_hold() -> None:
    assert f"up to {frames.ID_CHARACTERS} printable ASCII characters" in WEBSOCKET
    assert f"up to {AT_ONCE} run at once" in SOCKET_IO
