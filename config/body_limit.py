"""No body is read without end: Django's own handler takes whatever comes into a temporary file, before any view."""

from config.asgi_types import App, Receive, Scope, Send


class BodyLimit:
    """An ASGI application in front of another, which never sees more than `limit` bytes of a request's body.

    Past it the client gets a 413, in plain text, and the connection is closed.
    """

    def __init__(self, app: App, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self._limit:
            await self._refuse(send)
            return
        left = self._limit

        async def counted() -> dict[str, object]:
            nonlocal left
            message = dict(await receive())
            left -= len(message.get("body", b""))
            # What the handler behind takes for the client's going away: it ends without an answer.
            return message if left >= 0 else {"type": "http.disconnect"}

        await self._app(scope, counted, send)
        if left < 0:
            await self._refuse(send)

    async def _refuse(self, send: Send) -> None:
        body = f"What was sent is larger than {self._limit // 1024 // 1024} MB.\n".encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
