"""A plain client of /ws, message by message: over the network, or inside this process over plain ASGI."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from channels.testing import WebsocketCommunicator
from websockets.asyncio.client import connect

from config.asgi import application
from tests.realtime.clients import PATIENCE, Closed, InProcess, Network, Wire
from tests.server import Service

Message = dict[str, str]


class Raw:
    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def send(self, command: str, data: Any = "") -> None:
        await self.wire.send(json.dumps({"command": command, "data": data}))

    async def next(self) -> Message:
        """The next message. Raises Closed."""
        async with asyncio.timeout(PATIENCE):
            message: Message = json.loads(await self.wire.receive())
        return message

    async def ask(self, command: str, data: Any = "") -> Message:
        await self.send(command, data)
        return await self.next()

    async def enter(self, token: str, language: str) -> Message:
        """The answer to the choice of the language."""
        assert await self.ask("auth", token) == {"command": "auth_result", "data": "true"}
        return await self.ask("select_language", language)

    async def closed(self) -> int:
        try:
            while True:
                await self.next()
        except Closed as closed:
            return closed.code


@asynccontextmanager
async def over_network(service: Service, *, url: str = "") -> AsyncIterator[Raw]:
    """`url` is that of another web process than the service's own."""
    address = (url or service.url).replace("http", "ws", 1) + "/ws"
    async with connect(address, max_size=None, proxy=None) as connection:
        yield Raw(Network(connection))


@asynccontextmanager
async def in_process() -> AsyncIterator[Raw]:
    communicator = WebsocketCommunicator(application, "/ws", [(b"origin", b"https://anywhere.example")])
    communicator.scope["client"] = ("127.0.0.1", 50000)
    assert (await communicator.connect(timeout=PATIENCE))[0]
    try:
        yield Raw(InProcess(communicator))
    finally:
        await communicator.disconnect(timeout=PATIENCE)
