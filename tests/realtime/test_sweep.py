"""What the Socket.IO library would keep for ever is ended: sockets that nobody stands behind, answers nobody reads."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from channels.testing import WebsocketCommunicator

from config.asgi import application
from config.lifespan import background
from execution import socket_io
from execution.realtime import open_now
from execution.realtime.outbox import MOST_FRAMES
from tests.cast import Cast
from tests.realtime.clients import PATIENCE
from tests.sandbox.supervisors import RunningSupervisor

PATH = "/socket.io/?EIO=4&transport=websocket"


@pytest.fixture
async def swept(web: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cast]:
    monkeypatch.setattr(socket_io, "SWEEP_SECONDS", 0.1)
    async with background(socket_io.keep_sweeping)(), socket_io.socket_io_service():
        yield web


async def received(communicator: WebsocketCommunicator) -> str:
    text: str = (await communicator.receive_output(timeout=PATIENCE))["text"]
    return text


async def opened(key: str = "") -> WebsocketCommunicator:
    """An Engine.IO socket; with `key` a Socket.IO connection on it."""
    communicator = WebsocketCommunicator(application, PATH, [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")])
    assert (await communicator.connect(timeout=PATIENCE))[0]
    assert (await received(communicator)).startswith("0{")
    if key:
        await communicator.send_to(text_data=f'40{{"token":"{key}"}}')
        assert (await received(communicator)).startswith("40{")
    return communicator


async def closed(communicator: WebsocketCommunicator) -> None:
    """Returns when the server has closed it."""
    async with asyncio.timeout(PATIENCE):
        while (await communicator.receive_output(timeout=PATIENCE))["type"] != "websocket.close":
            pass
    await communicator.disconnect(timeout=PATIENCE)


async def test_who_does_not_say_who_they_are_is_hung_up_on(swept: Cast):
    silent, known = await opened(), await opened(swept.alice.websocket_key)
    await closed(silent)
    await known.send_to(text_data='42["runcode",null]')
    assert "codeoutput" in await received(known)
    await known.disconnect(timeout=PATIENCE)


async def test_who_leaves_the_protocol_but_keeps_the_socket_is_hung_up_on(swept: Cast):
    client = await opened(swept.alice.websocket_key)
    await client.send_to(text_data="41")
    await closed(client)
    assert open_now.count() == 0


async def test_a_refused_key_gets_no_second_try_for_ever(swept: Cast):
    client = await opened()
    await client.send_to(text_data='40{"token":"wk_nobodys"}')
    assert (await received(client)).startswith("44{")
    await closed(client)


async def test_one_socket_takes_one_seat_however_often_it_connects(swept: Cast):
    client = await opened(swept.alice.websocket_key)
    await client.send_to(text_data=f'40{{"token":"{swept.alice.websocket_key}"}}')
    assert (await received(client)).startswith("44")
    assert open_now.count() == 1
    await client.disconnect(timeout=PATIENCE)
    async with asyncio.timeout(PATIENCE):
        while open_now.count():
            await asyncio.sleep(0.01)


async def test_who_asks_and_asks_and_never_reads_is_disconnected(swept: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("execution.realtime.socket_io_client.REFUSAL_SECONDS", 0.1)
    client = await opened(swept.alice.websocket_key)
    (engine,) = socket_io._server.eio.sockets.values()
    taken = engine.queue.join
    engine.queue.join = asyncio.Event().wait
    for _ in range(MOST_FRAMES + 10):
        await client.send_to(text_data='42["runcode",null]')
    async with asyncio.timeout(PATIENCE):
        while open_now.count():
            await asyncio.sleep(0.01)
    engine.queue.join = taken
    await closed(client)


async def test_all_seats_are_given_back_when_the_process_stops(web: Cast):
    async with socket_io.socket_io_service():
        client = await opened(web.alice.websocket_key)
        assert open_now.count() == 1
    assert open_now.count() == 0
    await client.disconnect(timeout=PATIENCE)


async def test_who_is_far_behind_with_reading_stays_but_gets_nothing_new(swept: Cast, sandbox: RunningSupervisor):
    client = await opened(swept.alice.websocket_key)
    (engine,) = socket_io._server.eio.sockets.values()
    (outbox,) = (connected._outbox for connected in socket_io._clients.values())
    reads = asyncio.Event()
    engine.queue.join = reads.wait
    big = {"compiler": "python-3.14", "code": "print('x' * 600_000)", "extended": True}
    for data in (None, big):
        await client.send_to(text_data="42" + json.dumps(["runcode", data]))
    async with asyncio.timeout(PATIENCE):
        while not outbox.deaf:
            await asyncio.sleep(0.01)
    await client.send_to(text_data="42" + json.dumps(["runcode", big]))
    await asyncio.sleep(0.1)
    reads.set()
    assert "The event must carry an object." in await received(client)
    assert len(await received(client)) > 600_000
    assert "are not read yet" in await received(client)
    await client.disconnect(timeout=PATIENCE)
