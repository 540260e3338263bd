"""WebSocket paths that lead nowhere."""

import json

from config.asgi import application


async def refusal(extensions: dict[str, object]) -> list[dict[str, object]]:
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/nowhere/", "headers": [], "extensions": extensions}
    await application(scope, receive, send)
    return sent


async def test_an_unknown_path_is_refused_with_404_in_the_error_shape():
    start, body = await refusal({"websocket.http.response": {}})
    assert start["status"] == 404
    assert json.loads(body["body"])["code"] == "not_found"


async def test_it_is_closed_where_the_server_cannot_send_a_refusal():
    (message,) = await refusal({})
    assert message["type"] == "websocket.close"
