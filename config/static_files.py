"""Static files answered beside Django: no middleware, no session, and read without blocking the event loop.

WhiteNoise knows the files, their headers, compressed variants and ranges; its own Django middleware is synchronous,
which would put every page view behind it into a thread.
"""

import asyncio
from typing import Final

from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import Response, StaticFile

from config.asgi_types import Receive, Scope, Send

CHUNK: Final = 256 * 1024


class StaticFiles:
    """The index of all static files; `find` says whether a path is one, `serve` answers it."""

    def __init__(self) -> None:
        self._files = WhiteNoiseMiddleware(get_response=None)

    def find(self, path: str) -> StaticFile | None:
        if not path.startswith(self._files.static_prefix):
            return None
        return self._files.find_file(path) if self._files.autorefresh else self._files.files.get(path)

    async def serve(self, file: StaticFile, scope: Scope, _receive: Receive, send: Send) -> None:
        answer: Response = await asyncio.to_thread(file.get_response, scope["method"], _environ(scope))
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        headers.append((b"X-Content-Type-Options", b"nosniff"))
        # The widget loads its parts on other people's pages.
        headers.append((b"Cross-Origin-Resource-Policy", b"cross-origin"))
        await send({"type": "http.response.start", "status": int(answer.status), "headers": headers})
        try:
            if answer.file is not None:
                while chunk := await asyncio.to_thread(answer.file.read, CHUNK):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if answer.file is not None:
                answer.file.close()


def _environ(scope: Scope) -> dict[str, str]:
    """The request's headers as WhiteNoise reads them: `HTTP_IF_NONE_MATCH`, `HTTP_RANGE`, `HTTP_ACCEPT_ENCODING` …"""
    return {
        "HTTP_" + name.decode("latin-1").upper().replace("-", "_"): value.decode("latin-1")
        for name, value in scope["headers"]
    }
