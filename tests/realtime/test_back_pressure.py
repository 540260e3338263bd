"""A client that does not read has its program stand still, and the server's memory stay flat."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from config.asgi import application
from execution.realtime.outbox import HIGH
from execution.sandbox.client import SandboxClient
from tests.cast import Cast
from tests.realtime.clients import PATH, PATIENCE
from tests.sandbox.supervisors import RunningSupervisor

SIZE = 1_000_000
CHATTY = {"type": "run", "compiler": "python-3.14", "code": f"print('0123456789' * {SIZE // 10}, end='')"}


class DeafServer:
    """An ASGI server whose client takes nothing while `reads` is not set."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._incoming: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._incoming.put_nowait({"type": "websocket.connect"})
        scope = {"type": "websocket", "path": PATH, "headers": [], "client": ("127.0.0.1", 50000)}
        self.task = asyncio.create_task(application(scope, self._incoming.get, self._send))

    def say(self, frame: Mapping[str, Any]) -> None:
        self._incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    async def hang_up(self) -> None:
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1006})
        async with asyncio.timeout(PATIENCE):
            await self.task

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            return await self.frames.get()

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await self.reads.wait()
            self.frames.put_nowait(json.loads(message["text"]))


async def test_it_goes_on_where_it_stood_when_the_client_reads_again(web: Cast, sandbox: RunningSupervisor):
    server = DeafServer()
    server.say({"type": "auth", "key": web.alice.websocket_key})
    server.say(CHATTY)
    client = SandboxClient(sandbox.socket)
    await asyncio.sleep(1.5)
    # It would have ended long ago.
    assert (await client.status())["running"] == 1
    server.reads.set()
    output = ""
    while (frame := await server.next())["type"] != "result":
        output += frame.get("data", "")
        assert len(frame.get("data", "")) < HIGH
    assert output == "0123456789" * (SIZE // 10)
    assert frame["status"] == "success"
    await server.hang_up()
    await client.aclose()


async def test_a_deaf_client_that_goes_away_takes_its_program_along(web: Cast, sandbox: RunningSupervisor):
    server = DeafServer()
    server.say({"type": "auth", "key": web.alice.websocket_key})
    server.say(CHATTY)
    client = SandboxClient(sandbox.socket)
    async with asyncio.timeout(PATIENCE):
        while not (await client.status())["running"]:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    await server.hang_up()
    async with asyncio.timeout(PATIENCE):
        while (await client.status())["running"]:
            await asyncio.sleep(0.02)
    await client.aclose()
