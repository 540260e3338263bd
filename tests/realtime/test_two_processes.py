"""Two web processes of one installation: their connections are counted together, and a change of a key reaches both."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.clients.socket_io import socket_io_client
from tests.ratelimits.redis_server import RedisServer
from tests.realtime.clients import Client, no_connections, over_network
from tests.server import Service, running_service

MAKE_KEY = """
from accounts.key_lifecycle import create_websocket_key
from accounts.models import Organisation
organisation = Organisation.objects.get(secret={secret!r})
print(create_websocket_key(organisation=organisation, created_by=None, name="Short-lived").value)
"""
REVOKE = """
from accounts.key_lifecycle import revoke_websocket_key
from accounts.models import WebSocketKey
revoke_websocket_key(key=WebSocketKey.objects.get(value={value!r}))
"""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shared(redis: RedisServer) -> Iterator[Service]:
    with running_service(REDIS_URL=redis.url) as service:
        yield service


@pytest.fixture(scope="module")
def urls(shared: Service) -> Iterator[tuple[str, str]]:
    with shared.second_web() as second:
        yield shared.url, second


@pytest.fixture
async def connections(shared: Service) -> AsyncIterator[AsyncExitStack]:
    """What a test opens; all seats are free before and after it."""
    await no_connections(shared)
    async with AsyncExitStack() as stack:
        yield stack
    await no_connections(shared)


def make_key(service: Service) -> str:
    return service.manage("shell", "-v0", "-c", MAKE_KEY.format(secret=service.demo["secret"])).decode().strip()


async def test_the_connections_of_both_are_counted_together(
    shared: Service, urls: tuple[str, str], connections: AsyncExitStack
):
    key = shared.demo["websocket_key"]
    for number in range(10):
        await connections.enter_async_context(over_network(urls[number % 2], key=key))
    assert shared.usage()["connections"] == 10
    for url in urls:
        async with over_network(url) as client:
            await client.send("auth", key=key)
            assert await client.refusal() == ("concurrency_limit", 4429)


async def test_a_revoked_key_closes_the_connections_of_both(
    shared: Service, urls: tuple[str, str], connections: AsyncExitStack
):
    key = make_key(shared)
    clients: list[Client] = []
    for url in urls:
        clients.append(await connections.enter_async_context(over_network(url, key=key)))
    other = await connections.enter_async_context(over_network(urls[1], key=shared.demo["websocket_key"]))
    with socket_io_client(urls[1], key=key) as socket_io:
        assert socket_io.next()[0] == "connect"
        await asyncio.to_thread(shared.manage, "shell", "-v0", "-c", REVOKE.format(value=key))
        for client in clients:
            assert await client.refusal() == ("key_revoked", 4401)
        event, refusal = await asyncio.to_thread(socket_io.next)
        assert (event, refusal["code"]) == ("refused", "key_revoked")
        assert await asyncio.to_thread(socket_io.next) == ("disconnect", "io server disconnect")
    await other.send("ping")
    assert await other.next() == {"type": "pong"}


async def test_the_seats_of_a_process_that_was_killed_come_free(shared: Service, connections: AsyncExitStack):
    key = shared.demo["websocket_key"]
    killed = AsyncExitStack()
    with shared.second_web() as url:
        for _ in range(10):
            await killed.enter_async_context(over_network(url, key=key))
        shared.second.kill()
        await asyncio.to_thread(shared.second.wait)
    # The demo account's seats, as the surviving process sees them.
    async with asyncio.timeout(60):
        while shared.usage()["connections"]:
            await asyncio.sleep(0.2)
    await killed.aclose()


async def test_the_seats_of_a_process_that_stops_are_free_at_once(shared: Service, connections: AsyncExitStack):
    key = shared.demo["websocket_key"]
    async with AsyncExitStack() as stopped:
        with (
            shared.second_web() as url,
            socket_io_client(url, key=key) as socket_io,
            socket_io_client(url, key=key, transports=["polling"]) as polling,
        ):
            assert socket_io.next()[0] == polling.next()[0] == "connect"
            for _ in range(5):
                await stopped.enter_async_context(over_network(url, key=key))
            assert shared.usage()["connections"] == 7
            shared.second.terminate()
            await asyncio.to_thread(shared.second.wait)
            assert shared.usage()["connections"] == 0
            # Nobody was waited for, such as the poll that would have been answered when something happens.
            assert "graceful shutdown exceeded" not in shared.log()
