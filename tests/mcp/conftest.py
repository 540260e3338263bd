import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from billing.metering import metering_service
from config.asgi import http
from execution.mcp_server import mcp_service
from execution.sandbox_clients import sandbox_connections
from tests.cast import Cast
from tests.sandbox.supervisors import RunningSupervisor

MODERN = "2026-07-28"
ACCEPT = "application/json, text/event-stream"


class Mcp:
    """Speaks to `/mcp` of the application in this process, message by message, as whoever `key` belongs to."""

    def __init__(self, key: str) -> None:
        self.key = key

    async def request(
        self,
        method: str,
        path: str = "/mcp",
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        key = self.key if key is None else key
        sent = {"Accept": ACCEPT, **({"Authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(http), base_url="http://localhost:8000") as client:
            return await client.request(method, path, headers=sent, **options)

    async def post(self, method: str = "tools/list", params: Any = None, **options: Any) -> httpx.Response:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, **({} if params is None else {"params": params})}
        # As ASCII, so that half a surrogate pair can be sent too.
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        return await self.request("POST", content=json.dumps(message).encode(), headers=headers, **options)

    async def post_modern(self, method: str, params: dict[str, Any], **options: Any) -> httpx.Response:
        """The same in the revision that has no handshake: each request says in itself who sends it."""
        meta = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
        if name := params.get("name"):
            headers["Mcp-Name"] = name
        return await self.post(method, {**params, "_meta": meta}, headers=headers, **options)

    async def run(self, code: str = "print(1)", **options: Any) -> httpx.Response:
        arguments = {"compiler": "python-3.14", "code": code}
        return await self.post("tools/call", {"name": "run_code", "arguments": arguments}, **options)


def message_of(response: httpx.Response) -> dict[str, Any]:
    """The one JSON-RPC message that an answer holds, as a body or as an event."""
    assert response.status_code == 200, response.text
    if response.headers["Content-Type"].startswith("application/json"):
        return dict(response.json())
    (line,) = [line for line in response.text.splitlines() if line.startswith("data:")]
    return dict(json.loads(line.removeprefix("data:")))


@pytest.fixture
def mark() -> str:
    """A name by which a test finds its own program among all processes of the host."""
    return f"sleeper-{time.monotonic_ns()}"


@pytest.fixture
async def mcp(cast: Cast, sandbox: RunningSupervisor) -> AsyncIterator[Mcp]:
    """The endpoint as Alice calls it."""
    async with metering_service(), sandbox_connections(), mcp_service():
        yield Mcp(cast.alice.api_key)
