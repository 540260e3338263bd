import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable

import pytest

from accounts import broadcast
from accounts.broadcast import EVERYTHING, Broadcast
from tests.ratelimits.redis_server import RedisServer


class Process:
    """One process's end of the bus, with what it has heard about `topic`."""

    def __init__(self, url: str = "") -> None:
        self.bus = Broadcast(lambda: url)
        self.heard: list[str] = []
        self.bus.subscribe("topic", self.heard.append)


async def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.01)


@pytest.fixture
async def listening() -> AsyncIterator[Callable[[Process], asyncio.Task[None]]]:
    tasks: list[asyncio.Task[None]] = []

    def listen(process: Process) -> asyncio.Task[None]:
        tasks.append(asyncio.create_task(process.bus.listen()))
        return tasks[-1]

    yield listen
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_alone_it_tells_its_own_subscribers_and_is_always_healthy() -> None:
    alone = Process()

    assert await alone.bus.publish("topic", "1")
    assert alone.bus.publish_sync("topic", "2")
    assert await alone.bus.publish("another topic", "3")

    assert alone.heard == ["1", "2"]
    assert alone.bus.healthy


async def test_alone_listening_only_waits(listening) -> None:
    task = listening(Process())

    await asyncio.sleep(0.05)

    assert not task.done()


@pytest.mark.parametrize("call", ["publish", "publish_sync"])
async def test_every_process_has_heard_when_publishing_returns(listening, redis_server: RedisServer, call: str) -> None:
    one, other = Process(redis_server.url), Process(redis_server.url)
    for process in (one, other):
        listening(process)
    await until(lambda: one.bus.healthy and other.bus.healthy)
    one.heard.clear()
    other.heard.clear()

    for number in range(20):
        if call == "publish":
            assert await one.bus.publish("topic", str(number))
        else:
            assert await asyncio.to_thread(one.bus.publish_sync, "topic", str(number))
        assert other.heard[-1] == str(number)

    assert list(dict.fromkeys(one.heard)) == [str(number) for number in range(20)]


async def test_a_command_reaches_the_processes_without_listening_itself(listening, redis_server: RedisServer) -> None:
    process, command = Process(redis_server.url), Process(redis_server.url)
    listening(process)
    await until(lambda: process.bus.healthy)

    assert await asyncio.to_thread(command.bus.publish_sync, "topic", "7")

    assert process.heard[-1] == "7"
    assert command.heard == ["7"]
    assert not command.bus.healthy


async def test_databases_of_one_redis_are_apart(listening, redis_server: RedisServer) -> None:
    one, other = Process(redis_server.url), Process(redis_server.url.replace("db=0", "db=1"))
    listening(one)
    listening(other)
    await until(lambda: one.bus.healthy and other.bus.healthy)

    assert await one.bus.publish("topic", "7")

    assert other.heard == [EVERYTHING]


async def test_a_new_subscription_makes_everything_forgotten_before_it_is_healthy(
    listening, redis_server: RedisServer
) -> None:
    process = Process(redis_server.url)
    assert not process.bus.healthy
    healthy_when_told: list[bool] = []
    process.bus.subscribe("topic", lambda key: healthy_when_told.append(process.bus.healthy))

    listening(process)
    await until(lambda: process.bus.healthy)

    assert process.heard == [EVERYTHING]
    assert healthy_when_told == [False]


async def test_it_is_unhealthy_while_redis_is_gone_and_recovers_by_itself(listening, redis_server: RedisServer) -> None:
    process = Process(redis_server.url)
    listening(process)
    await until(lambda: process.bus.healthy)

    redis_server.kill()
    await until(lambda: not process.bus.healthy)
    assert process.heard == [EVERYTHING]
    redis_server.start()
    await until(lambda: process.bus.healthy)

    assert process.heard == [EVERYTHING, EVERYTHING]


async def test_it_is_unhealthy_once_redis_stops_answering(
    listening, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "PING_SECONDS", 0.05)
    monkeypatch.setattr(broadcast, "LEASE_SECONDS", 0.3)
    monkeypatch.setattr(broadcast, "DEAD_SECONDS", 0.6)
    process = Process(redis_server.url)
    listening(process)
    await until(lambda: process.bus.healthy)

    assert redis_server._process is not None
    redis_server._process.send_signal(signal.SIGSTOP)
    try:
        await until(lambda: not process.bus.healthy)
        await asyncio.sleep(1)
        assert not process.bus.healthy
    finally:
        redis_server._process.send_signal(signal.SIGCONT)
    await until(lambda: process.bus.healthy)

    assert process.heard == [EVERYTHING, EVERYTHING]


async def test_an_idle_subscription_stays_up(
    listening, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "PING_SECONDS", 0.02)
    monkeypatch.setitem(broadcast._TIMEOUTS, "socket_timeout", 0.3)
    process = Process(redis_server.url)
    listening(process)
    await until(lambda: process.bus.healthy)

    for _ in range(50):
        await asyncio.sleep(0.02)
        assert process.bus.healthy

    assert process.heard == [EVERYTHING]


@pytest.mark.parametrize("call", ["publish", "publish_sync"])
async def test_a_process_that_does_not_confirm_is_waited_for_no_longer_than_its_lease(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(broadcast, "CONFIRM_SECONDS", 0.3)
    process = Process(redis_server.url)
    with redis_server.client() as client, client.pubsub() as hung:
        hung.subscribe("runcode:broadcast:0")
        assert hung.get_message(timeout=5) is not None
        started = time.monotonic()

        if call == "publish":
            told = await process.bus.publish("topic", "7")
        else:
            told = await asyncio.to_thread(process.bus.publish_sync, "topic", "7")

    assert told is False
    assert time.monotonic() - started >= 0.3
    assert process.heard == ["7"]


@pytest.mark.parametrize("call", ["publish", "publish_sync"])
async def test_without_redis_it_says_so_and_still_tells_its_own(call: str) -> None:
    process = Process("redis://127.0.0.1:1/0")

    if call == "publish":
        told = await process.bus.publish("topic", "7")
    else:
        told = await asyncio.to_thread(process.bus.publish_sync, "topic", "7")

    assert told is False
    assert process.heard == ["7"]


@pytest.mark.parametrize("payload", ["nonsense", "{}", "[1]", '{"id": "x"}'])
async def test_it_ignores_what_it_does_not_understand(listening, redis_server: RedisServer, payload: str) -> None:
    process = Process(redis_server.url)
    listening(process)
    await until(lambda: process.bus.healthy)

    with redis_server.client() as client:
        assert client.publish("runcode:broadcast:0", payload) == 1
    assert await process.bus.publish("topic", "7")

    assert process.heard == [EVERYTHING, "7", "7"]


async def test_a_subscriber_that_fails_makes_everything_forgotten(listening, redis_server: RedisServer) -> None:
    process, command = Process(redis_server.url), Process(redis_server.url)

    def fail_once(key: str) -> None:
        if key == "7":
            raise LookupError

    process.bus.subscribe("topic", fail_once)
    listening(process)
    await until(lambda: process.bus.healthy)
    process.heard.clear()

    told = await command.bus.publish("topic", "7")
    await until(lambda: process.heard[-1] == EVERYTHING and process.bus.healthy)

    assert told is False
    assert process.heard == ["7", EVERYTHING]


async def test_confirmations_leave_nothing_behind_for_long(listening, redis_server: RedisServer) -> None:
    process = Process(redis_server.url)
    listening(process)
    await until(lambda: process.bus.healthy)

    assert await process.bus.publish("topic", "7")

    with redis_server.client() as client:
        assert all(client.ttl(key) > 0 for key in client.keys("*"))


def test_the_module_answers_for_its_process(settings) -> None:
    assert broadcast.healthy is True
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert broadcast.healthy is False
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        broadcast.nothing  # noqa: B018


async def test_it_ends_whenever_it_is_cancelled(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    # Many pings, so that some cancellations arrive while one is being sent.
    monkeypatch.setattr(broadcast, "PING_SECONDS", 0.001)
    for number in range(60):
        process = Process(redis_server.url)
        task = asyncio.create_task(process.bus.listen())
        await until(lambda process=process: process.bus.healthy)  # type: ignore[misc]
        await asyncio.sleep(number / 10_000)

        task.cancel()
        ended, _ = await asyncio.wait([task], timeout=10)

        assert ended
        assert not process.bus.healthy
