"""docs/mcp.md says what the server does, and its examples work as they stand."""

import json
import subprocess
import sys

import httpx
import pytest

from execution.mcp_tools import ARGUMENTS, ERROR_META, TOOLS
from tests.mcp.conftest import ACCEPT, message_of
from tests.pages.test_docs_examples import FOLDER, fences
from tests.server import Service

PAGE = (FOLDER / "mcp.md").read_text(encoding="utf-8")


def filled(code: str, service: Service) -> str:
    return code.replace("$BASE", service.url).replace("$API_KEY", service.demo["api_key"])


def test_the_python_example_answers(service: Service) -> None:
    (code,) = fences("mcp", "python")
    command = [sys.executable, "-c", filled(code, service)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "5050\n\n"


@pytest.mark.parametrize("kind", ["the line for Claude Code", "the file of servers"])
def test_the_address_and_the_header_that_are_shown_let_a_client_in(service: Service, kind: str) -> None:
    if kind == "the file of servers":
        server = json.loads(filled(fences("mcp", "json")[0], service))["servers"]["runcode"]
        url, headers = server["url"], server["headers"]
    else:
        words = filled(fences("mcp", "sh")[0], service).split(maxsplit=8)
        assert words[:4] == ["claude", "mcp", "add", "runcode"]
        assert words[5:8] == ["--transport", "http", "--header"]
        name, _, value = words[8].strip().strip('"').partition(": ")
        url, headers = words[4], {name: value}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = httpx.post(url, json=message, headers={**headers, "Accept": ACCEPT})
    assert len(message_of(answer)["result"]["tools"]) == len(TOOLS)


def test_every_tool_and_argument_is_described() -> None:
    for name in (*(tool.name for tool in TOOLS), *ARGUMENTS, ERROR_META):
        assert f"`{name}`" in PAGE
