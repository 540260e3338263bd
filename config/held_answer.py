"""An answer over plain ASGI whose head waits for its first bytes, so that it can still get headers until then."""

import json
from collections.abc import Mapping
from typing import Any

from config.asgi_types import Send
from config.errors import ApiError


class HeldAnswer:
    """An ASGI `send` that holds the head of an answer back until its first bytes come.

    A stream's head is sent before the tool is called; held back, it carries the headers that the call brings (`later`).
    """

    def __init__(self, send: Send, extra: Mapping[str, str]) -> None:
        self._send = send
        self._extra = extra
        self._head: Mapping[str, Any] | None = None
        self.later: Mapping[str, str] = {}
        self.status: int | None = None

    async def __call__(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._head = message
            return
        if self._head is not None:
            head, self._head = self._head, None
            self.status = head["status"]
            await self._send({**head, "headers": [*head["headers"], *_encoded({**self._extra, **self.later})]})
        await self._send(message)

    async def plain(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        await self({"type": "http.response.start", "status": int(status), "headers": _encoded(headers)})
        await self({"type": "http.response.body", "body": body})

    async def refusal(self, error: ApiError) -> None:
        body = json.dumps(error.body()).encode()
        about = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Cache-Control": "no-store"}
        await self.plain(error.status, {**about, **error.headers}, body)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
