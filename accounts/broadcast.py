"""Tells every process of the installation that something it may have cached has changed.

A cache subscribes to a topic; whoever changes a row publishes the row's key after the commit:

    broadcast.subscribe("plan", cache.forget)          # forget("12"), or forget(EVERYTHING)
    broadcast.publish_sync("plan", "12")               # in a view or command; `await publish(...)` on an event loop

Subscribers of this process are called before `publish` returns. With REDIS_URL set, the other processes get
the message over Redis pub/sub, provided that their event loop runs `listen()`. Callbacks must be quick and
thread-safe: they are called in the publisher's thread or on the event loop.

A message that is missed must not leave a stale entry behind, so this is built like a lease:

- `healthy` is true only while Redis has answered a ping *sent* in the last LEASE_SECONDS. Pub/sub messages and
  the ping's answer come down the same connection in order, so an answer proves that nothing published before it
  is still to come. A cache is not to be trusted while `healthy` is false: look things up each time.
- A new subscription first makes every cache forget EVERYTHING, since messages of the meantime are lost.
- `publish` waits until every subscribed process has confirmed, or until a lease that was valid when it began has
  run out. Either way, when it returns no process acts on the old state any more.

Without REDIS_URL there is one process, which is always healthy.
"""

import asyncio
import json
import random
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import redis
import redis.asyncio
import structlog
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

log = structlog.get_logger(__name__)

EVERYTHING = "*"
"""The key a callback gets when all it has cached may be stale."""

LEASE_SECONDS = 2.0
PING_SECONDS = 0.5
DEAD_SECONDS = 2 * LEASE_SECONDS
CONFIRM_SECONDS = LEASE_SECONDS + 0.5
# Of commands and their answers. The subscription's reads take a time-out of their own (PING_SECONDS): with this one,
# redis-py would close an idle but sound subscription (its version 8 does so after 5 s by default).
SOCKET_SECONDS = CONFIRM_SECONDS + 2
CONNECT_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 2.0

Callback = Callable[[str], None]
Failure = (redis.RedisError, OSError)


class Broadcast:
    """One process's end of the bus. `url` is a Redis URL; empty for a process that is alone."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self._callbacks: defaultdict[str, list[Callback]] = defaultdict(list)
        self._alive_at: float | None = None

    @property
    def healthy(self) -> bool:
        """Whether this process is sure to have heard everything that was published until now."""
        alive_at = self._alive_at
        if alive_at is not None:
            return time.monotonic() - alive_at < LEASE_SECONDS
        return not self._url()

    def subscribe(self, topic: str, callback: Callback) -> None:
        self._callbacks[topic].append(callback)

    async def publish(self, topic: str, key: str) -> bool:
        """Tells all processes; False when Redis could not be reached or a process did not confirm (both are logged)."""
        self._deliver(topic, key)
        if not (url := self._url()):
            return True
        message, payload = _message(topic, key)
        client = redis.asyncio.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **_TIMEOUTS)
        try:
            async with client:
                receivers = await client.publish(_channel(url), payload)
                deadline = time.monotonic() + CONFIRM_SECONDS
                for _ in range(receivers):
                    answer = client.blpop([_confirmations(message)], timeout=_left(deadline))
                    if await cast("Awaitable[object]", answer) is None:
                        return _unconfirmed(topic)
        except Failure as error:
            return _unreachable(topic, error)
        return True

    def publish_sync(self, topic: str, key: str) -> bool:
        """As `publish`, for views and commands. Not on an event loop's thread: its own confirmation would not come."""
        self._deliver(topic, key)
        if not (url := self._url()):
            return True
        message, payload = _message(topic, key)
        try:
            with redis.Redis.from_url(url, **_TIMEOUTS) as client:
                receivers = cast("int", client.publish(_channel(url), payload))
                deadline = time.monotonic() + CONFIRM_SECONDS
                for _ in range(receivers):
                    if client.blpop([_confirmations(message)], timeout=_left(deadline)) is None:
                        return _unconfirmed(topic)
        except Failure as error:
            return _unreachable(topic, error)
        return True

    async def listen(self) -> None:
        """Hears what other processes publish, until cancelled; reconnects by itself. Without Redis it only waits."""
        url = self._url()
        if not url:
            await asyncio.Event().wait()
        failures = 0
        while True:
            _stop_if_cancelled()
            try:
                await self._listen_once(url)
            except Exception as error:
                # Also a subscriber's own mistake: what it should have forgotten, the next subscription makes it forget.
                if self._alive_at is not None:
                    failures = 0
                log.warning("broadcast_lost", error=type(error).__name__, exc_info=not isinstance(error, Failure))
            finally:
                self._alive_at = None
            pause = min(0.1 * 2**failures, LONGEST_PAUSE_SECONDS)
            failures = min(failures + 1, 10)
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311

    async def _listen_once(self, url: str) -> None:
        # No retries inside redis-py: it would subscribe anew in silence, and what was published meanwhile would be lost
        # without any cache being told.
        client = redis.asyncio.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **_TIMEOUTS)
        async with client, client.pubsub() as pubsub:
            await pubsub.subscribe(_channel(url))
            pinged_at = time.monotonic()
            await pubsub.ping()
            subscribed = answered = False
            while True:
                _stop_if_cancelled()
                message = await pubsub.get_message(timeout=PING_SECONDS)
                kind = message["type"] if message else ""
                if kind == "subscribe":
                    subscribed = True
                    self._forget_everything()
                elif kind == "message":
                    await self._receive(client, cast("dict[str, Any]", message)["data"])
                elif kind == "pong" and subscribed:
                    answered = True
                    if self._alive_at is None:
                        log.info("broadcast_connected")
                    self._alive_at = pinged_at
                now = time.monotonic()
                if answered and now - pinged_at >= PING_SECONDS:
                    pinged_at, answered = now, False
                    await pubsub.ping()
                elif not answered and now - pinged_at >= DEAD_SECONDS:
                    raise redis.TimeoutError("Redis does not answer on the subscription.")

    async def _receive(self, client: redis.asyncio.Redis, payload: bytes) -> None:
        try:
            message = json.loads(payload)
            confirm, topic, key = message["id"], message["topic"], message["key"]
        except (ValueError, TypeError, KeyError):
            log.warning("broadcast_not_understood")
            return
        self._deliver(topic, key)
        async with client.pipeline(transaction=False) as pipeline:
            pipeline.rpush(_confirmations(confirm), 1)
            pipeline.expire(_confirmations(confirm), int(CONFIRM_SECONDS) + 10)
            await pipeline.execute()

    def _deliver(self, topic: str, key: str) -> None:
        for callback in self._callbacks.get(topic, ()):
            callback(key)

    def _forget_everything(self) -> None:
        for topic in list(self._callbacks):
            self._deliver(topic, EVERYTHING)


_TIMEOUTS: dict[str, Any] = {"socket_timeout": SOCKET_SECONDS, "socket_connect_timeout": CONNECT_SECONDS}


def _stop_if_cancelled() -> None:
    # redis-py sends through asyncio.wait_for, which before Python 3.12 swallows a cancellation that arrives in the
    # moment when the sending ends. The task would go on for ever, and its process never stop.
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _channel(url: str) -> str:
    # Pub/sub ignores Redis' database numbers; the name keeps installations apart that share a server by number.
    options: dict[str, Any] = redis.connection.parse_url(url)  # type: ignore[no-untyped-call]
    return f"runcode:broadcast:{options.get('db') or 0}"


def _message(topic: str, key: str) -> tuple[str, str]:
    message = uuid.uuid4().hex
    return message, json.dumps({"id": message, "topic": topic, "key": key})


def _confirmations(message: str) -> str:
    return f"runcode:broadcast:confirmed:{message}"


def _left(deadline: float) -> float:
    # BLPOP takes 0 for "wait for ever".
    return max(deadline - time.monotonic(), 0.01)


def _unconfirmed(topic: str) -> bool:
    log.warning("broadcast_unconfirmed", topic=topic)
    return False


def _unreachable(topic: str, error: Exception) -> bool:
    log.error("broadcast_unreachable", topic=topic, error=type(error).__name__)
    return False


_bus = Broadcast(lambda: settings.REDIS_URL)
subscribe = _bus.subscribe
publish = _bus.publish
publish_sync = _bus.publish_sync
listen = _bus.listen

if TYPE_CHECKING:
    healthy: bool
else:

    def __getattr__(name: str) -> bool:
        # `broadcast.healthy` is asked anew each time, so it cannot be a plain variable of the module.
        if name == "healthy":
            return _bus.healthy
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
