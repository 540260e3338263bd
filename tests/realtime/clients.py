"""A client of /ws/run/ or another socket, over the wire with the stock `websockets` library or inside this process."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from channels.testing import WebsocketCommunicator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from config.asgi import application
from execution.sandbox.client import SandboxClient
from execution.sandbox.supervisor import socket_path
from tests.server import Service

PATIENCE = 30.0
PATH = "/ws/run/"
LAST = ("result", "error", "stopped")


class Closed(Exception):
    """The server closed the connection; `code` says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Wire(Protocol):
    async def send(self, data: str | bytes) -> None: ...

    async def receive(self) -> str:
        """Raises Closed."""


class Client:
    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def send(self, type_: str, **fields: Any) -> None:
        await self.wire.send(json.dumps({"type": type_, **fields}))

    async def run(self, code: str, compiler: str = "python-3.14", **fields: Any) -> None:
        await self.send("run", compiler=compiler, code=code, **fields)

    async def next(self) -> dict[str, Any]:
        """The next frame. Raises Closed."""
        async with asyncio.timeout(PATIENCE):
            frame: dict[str, Any] = json.loads(await self.wire.receive())
        return frame

    async def until(self, *types: str) -> list[dict[str, Any]]:
        """All frames up to the first one of these types."""
        frames = [await self.next()]
        while frames[-1]["type"] not in types:
            frames.append(await self.next())
        return frames

    async def seen(self, text: str) -> str:
        """All output up to and with `text`."""
        output = ""
        while text not in output:
            frame = await self.next()
            assert frame["type"] in ("state", "output"), frame
            output += frame.get("data", "")
        return output

    async def end(self) -> dict[str, Any]:
        """The frame that ends the run."""
        return (await self.until(*LAST))[-1]

    async def closed(self) -> int:
        """The code with which the server closes the connection."""
        try:
            while True:
                await self.next()
        except Closed as closed:
            return closed.code

    async def refusal(self) -> tuple[str, int]:
        """The code of the error frame that is next, and that of the closing after it."""
        frame = await self.next()
        assert frame["type"] == "error", frame
        return frame["code"], await self.closed()


class Network:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, data: str | bytes) -> None:
        # Who is closed down on while sending learns it from the next frame.
        with suppress(ConnectionClosed):
            await self.connection.send(data)

    async def receive(self) -> str:
        try:
            return str(await self.connection.recv())
        except ConnectionClosed as closed:
            raise Closed(closed.rcvd.code if closed.rcvd else 1006) from None


@asynccontextmanager
async def over_network(
    url: str, *, key: str = "", headers: Mapping[str, str] | None = None, path: str = PATH
) -> AsyncIterator[Client]:
    """A WebSocket to a running service; with `key`, the server has accepted it already."""
    address = url.replace("http", "ws", 1) + path
    async with connect(address, additional_headers=headers, max_size=None, proxy=None) as connection:
        client = Client(Network(connection))
        if key:
            await client.send("auth", key=key)
            assert (await client.next())["type"] == "ready"
        yield client


class InProcess:
    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.communicator = communicator

    async def send(self, data: str | bytes) -> None:
        await self.communicator.send_to(**{"text_data" if isinstance(data, str) else "bytes_data": data})

    async def receive(self) -> str:
        message = await self.communicator.receive_output(timeout=PATIENCE)
        if message["type"] == "websocket.close":
            raise Closed(message["code"])
        text: str = message["text"]
        return text


@asynccontextmanager
async def in_process(
    key: str = "", *, address: str = "127.0.0.1", headers: Mapping[str, str] | None = None
) -> AsyncIterator[Client]:
    """A WebSocket to the application of this process, from whichever address; with `key`, the auth frame is sent."""
    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    communicator = WebsocketCommunicator(application, PATH, raw)
    communicator.scope["client"] = (address, 50000)
    assert (await communicator.connect(timeout=PATIENCE))[0]
    client = Client(InProcess(communicator))
    if key:
        await client.send("auth", key=key)
    try:
        yield client
    finally:
        await communicator.disconnect(timeout=PATIENCE)


async def running_programs(service: Service, number: int) -> None:
    """Returns when exactly so many programs run in the service's sandbox."""
    client = SandboxClient(socket_path(service.home))
    try:
        async with asyncio.timeout(PATIENCE):
            while (await client.status())["running"] != number:
                await asyncio.sleep(0.02)
    finally:
        await client.aclose()


async def no_connections(service: Service) -> None:
    """Returns when all seats of the demo account are free again."""
    async with asyncio.timeout(PATIENCE):
        while service.usage()["connections"]:
            await asyncio.sleep(0.02)
