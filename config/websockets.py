"""WebSocket paths that lead nowhere."""

import json

from config.asgi_types import Receive, Scope, Send
from config.errors import NotFound

# RFC 6455 leaves 4000–4999 to applications; seen only by clients whose server cannot send a denial response.
NOTHING_HERE = 4404


async def nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse the upgrade with a 404 in the error shape, where the server can (ASGI's denial response extension)."""
    await receive()
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": NOTHING_HERE, "reason": "There is nothing at this address."})
        return
    body = json.dumps(NotFound("There is no WebSocket at this address.").body()).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "websocket.http.response.start", "status": NotFound.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
