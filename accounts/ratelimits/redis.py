"""The limiter of an installation with Redis: one step is one Lua script, so it is atomic for all processes.

Needs Redis 6.2 or later (ZADD GT). Acquiring and finishing are one round trip each; the first use of a script after
Redis started is two. Time is the Redis server's, so the clocks of the machines need not agree.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.ratelimits.checks import MICROSECONDS, Check, Decision, Held, LimiterUnavailable, State, TokenBucket

T = TypeVar("T")

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0
CONNECTIONS = 32

# As SLACK_MS and QUOTA_MS in lua/acquire.lua.
_SLACK_MS = 60_000
_QUOTA_MS = 40 * 24 * 3600 * 1000

_FOLDER = Path(__file__).resolve().parent / "lua"


class _Script:
    def __init__(self, name: str) -> None:
        self.text = (_FOLDER / f"{name}.lua").read_text(encoding="utf-8")
        # What Redis names scripts by; nothing is protected by it.
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


_ACQUIRE, _FINISH, _RENEW, _PUBLISH, _COUNT = map(_Script, ("acquire", "finish", "renew", "publish", "count"))


class RedisLimiter:
    """See `Limiter`. Belongs to the event loop that uses it first.

    `clock` gives the time in µs in place of the server's: tests drive both limiters with one clock.
    """

    shared: ClassVar[bool] = True

    def __init__(self, url: str, clock: Callable[[], int] = lambda: 0) -> None:
        self._clock = clock
        timeouts: dict[str, Any] = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": ANSWER_SECONDS}
        # One more try, at once, and only for a broken connection: Redis was restarted since it was made. Waiting
        # longer would keep requests that can be refused at once.
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=ANSWER_SECONDS,
            retry=AsyncRetry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            **timeouts,
        )
        self._redis = redis.asyncio.Redis.from_pool(pool)
        self._blocking = redis.Redis.from_url(
            url, retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)), **timeouts
        )
        self._under_way: set[asyncio.Task[Any]] = set()

    async def acquire(self, scope: str, checks: Sequence[Check]) -> Decision:
        step = self._start(self._acquire(scope, checks))
        try:
            return await asyncio.shield(step)
        except asyncio.CancelledError:
            # The step may be taken already: see it through, then give back what nobody will use.
            self._start(self._undo(step, scope, checks))
            raise

    async def finish(self, scope: str, held: Sequence[Held], *, pin: bool = False) -> None:
        keys = [_members_key(scope, each) for each in held]
        arguments: list[str | int] = []
        for each in held:
            arguments += ["pin" if pin and each.kind == "quota" else "drop", each.member]
        # Shielded: a client that leaves must not keep its place.
        await asyncio.shield(self._start(self._run(_FINISH, keys, arguments)))

    async def renew(self, scope: str, held: Sequence[Held]) -> None:
        keys = [_members_key(scope, each) for each in held]
        arguments: list[str | int] = [self._clock()]
        for each in held:
            keep_ms = _QUOTA_MS if each.kind == "quota" else each.seconds * 1000 + _SLACK_MS
            arguments += [each.seconds * MICROSECONDS, keep_ms, each.member]
        await self._run(_RENEW, keys, arguments)

    async def publish(self, scope: str, quota: str, total: int, *, drop: Sequence[str] = ()) -> None:
        await self._run(_PUBLISH, [_key(scope, "total", quota), _key(scope, "held", quota)], [total, *drop])

    def count(self, scope: str, lease: str) -> int:
        arguments = (_COUNT.text, 1, _key(scope, "lease", lease), str(self._clock()))
        try:
            return cast("int", self._blocking.eval(*arguments))
        except (redis.RedisError, OSError) as error:
            raise LimiterUnavailable(type(error).__name__) from error

    def pinned(self, scope: str, quota: str) -> list[str]:
        try:
            members = self._blocking.zrangebyscore(_key(scope, "held", quota), "+inf", "+inf")
        except (redis.RedisError, OSError) as error:
            raise LimiterUnavailable(type(error).__name__) from error
        return [member.decode() for member in cast("list[bytes]", members)]

    async def aclose(self) -> None:
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._redis.aclose(close_connection_pool=True)
        self.close_blocking()

    def close_blocking(self) -> None:
        """Closes what `count` and `pinned` use: enough where nothing else was called."""
        self._blocking.close()

    async def _acquire(self, scope: str, checks: Sequence[Check]) -> Decision:
        keys: list[str] = []
        arguments: list[str | int] = [self._clock()]
        for check in checks:
            if isinstance(check, TokenBucket):
                keys.append(_key(scope, "rate", check.name))
                arguments += ["bucket", check.interval, check.burst, check.cost]
                continue
            held = cast("Held", Held.of(check))
            if held.kind == "quota":
                keys.append(_key(scope, "total", held.name))
            keys.append(_members_key(scope, held))
            arguments += [held.kind, check.limit, held.seconds * MICROSECONDS, held.member]
        verdict, place, retry_after, *numbers = cast("list[int]", await self._run(_ACQUIRE, keys, arguments))
        states = tuple(State(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True))
        if verdict == 1:
            return Decision(states)
        return Decision(states, refused=place, retry_after=retry_after, unknown_total=verdict < 0)

    async def _undo(self, step: "asyncio.Task[Decision]", scope: str, checks: Sequence[Check]) -> None:
        held = [held for check in checks if (held := Held.of(check))]
        with suppress(LimiterUnavailable):
            if (await step).granted:
                await self.finish(scope, held)

    async def _run(self, script: _Script, keys: Sequence[str], arguments: Sequence[str | int]) -> object:
        try:
            try:
                answer = await cast("Awaitable[object]", self._redis.evalsha(script.sha, len(keys), *keys, *arguments))
            except redis.exceptions.NoScriptError:
                answer = await cast("Awaitable[object]", self._redis.eval(script.text, len(keys), *keys, *arguments))
        except (redis.RedisError, OSError) as error:
            raise LimiterUnavailable(type(error).__name__) from error
        if (task := asyncio.current_task()) and task.cancelling():
            # Until Python 3.12 asyncio.wait_for, with which redis-py sends, can lose a cancellation.
            raise asyncio.CancelledError
        return answer

    def _start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = asyncio.create_task(work)
        # The event loop itself keeps tasks weakly only.
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task


def _key(scope: str, kind: str, name: str) -> str:
    return f"runcode:{{{scope}}}:{kind}:{name}"


def _members_key(scope: str, held: Held) -> str:
    return _key(scope, "held" if held.kind == "quota" else "lease", held.name)
