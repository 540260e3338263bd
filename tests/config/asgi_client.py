"""Speaks ASGI to an application as a server does, part by part, so that tests can send slowly and hang up."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from config.asgi_types import Scope


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Exchange:
    """One request. Feed it with `send_body` and `hang_up`; `answer` is what came back when the application ended."""

    scope: Scope
    _incoming: asyncio.Queue[Mapping[str, Any]] = field(default_factory=asyncio.Queue)
    _sent: list[Mapping[str, Any]] = field(default_factory=list)
    received: int = 0

    def send_body(self, body: bytes, *, more: bool = False) -> None:
        self._incoming.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def hang_up(self) -> None:
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> Mapping[str, Any]:
        message = await self._incoming.get()
        self.received += 1
        return message

    async def send(self, message: Mapping[str, Any]) -> None:
        self._sent.append(message)

    @property
    def answer(self) -> Answer:
        start, *bodies = self._sent
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], headers, b"".join(part.get("body", b"") for part in bodies))

    @property
    def answered(self) -> bool:
        return bool(self._sent)


def exchange(method: str, path: str, headers: Mapping[str, str] | None = None, query: str = "") -> Exchange:
    return Exchange(
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode("latin-1"),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
            "client": ("127.0.0.1", 50000),
            "server": ("localhost", 80),
        }
    )


async def call(
    application: Any,
    method: str,
    path: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    query: str = "",
) -> Answer:
    """One whole request with its body in one part, and its answer."""
    request = exchange(method, path, {"content-length": str(len(body)), **(headers or {})}, query)
    request.send_body(body)
    await asyncio.wait_for(application(request.scope, request.receive, request.send), timeout=10)
    return request.answer
