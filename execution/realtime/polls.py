"""Socket.IO's polls are HTTP requests, whose bodies the library reads to their end before it looks at their size."""

import json

from config.errors import ApiError, BodyTooLarge
from execution.realtime.asgi import Scope, Send, headers_of
from execution.realtime.packets import PACKET_BYTES


def body_refusal(scope: Scope) -> ApiError | None:
    """What is wrong with the size that a request tells, or None."""
    if scope["method"] != "POST":
        return None
    declared = headers_of(scope).get("content-length", "")
    if declared.isdigit() and int(declared) <= PACKET_BYTES:
        return None
    return BodyTooLarge(f"Packets have a Content-Length of at most {PACKET_BYTES // 1024 // 1024} MB.")


async def refuse(error: ApiError, send: Send) -> None:
    """The refusal as an HTTP answer, before anything of the body was read."""
    body = json.dumps(error.body()).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"access-control-allow-origin", b"*"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
