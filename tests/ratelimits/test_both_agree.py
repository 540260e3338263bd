"""Whatever is asked of them in whatever order, the two limiters give the same answers."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accounts.ratelimits import Check, Held, Lease, MemoryLimiter, Quota, RedisLimiter, TokenBucket
from tests.ratelimits.clock import Clock
from tests.ratelimits.redis_server import RedisServer

T = TypeVar("T")

SCOPES = st.sampled_from(["o1", "o2"])
MEMBERS = st.sampled_from("abcde")
BUCKETS = st.builds(
    TokenBucket.per_second,
    name=st.sampled_from(["k1", "k2"]),
    rate=st.sampled_from([0.5, 1, 3, 7, 1000]),
    burst=st.integers(1, 5),
    cost=st.integers(1, 3),
)
LEASES = st.builds(
    Lease, st.sampled_from(["sync", "connections"]), st.integers(0, 4), MEMBERS, st.sampled_from([1, 15])
)
QUOTAS = st.builds(Quota, st.sampled_from(["june", "july"]), st.integers(0, 8), MEMBERS, st.sampled_from([2, 600]))
CHECKS = st.lists(st.one_of(BUCKETS, LEASES, QUOTAS), max_size=4, unique_by=lambda check: (type(check), check.name))
HELD = st.lists(st.one_of(LEASES, QUOTAS).map(Held.of), min_size=1, max_size=3)


class BothLimiters(RuleBasedStateMachine):
    """Drives both by one clock. Redis drops keys by its own, but only a minute after they stopped to matter."""

    server: RedisServer

    @initialize()
    def start(self) -> None:
        self.server.reset()
        self.loop = asyncio.Runner()
        self.clock = Clock()
        self.memory = MemoryLimiter(self.clock)
        self.redis = RedisLimiter(self.server.url, self.clock)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(work)

    @rule(scope=SCOPES, checks=CHECKS)
    def acquire(self, scope: str, checks: list[Check]) -> None:
        assert self.run(self.memory.acquire(scope, checks)) == self.run(self.redis.acquire(scope, checks))

    @rule(scope=SCOPES, held=HELD, pin=st.booleans())
    def finish(self, scope: str, held: list[Held], pin: bool) -> None:
        for limiter in (self.memory, self.redis):
            self.run(limiter.finish(scope, held, pin=pin))

    @rule(scope=SCOPES, held=HELD)
    def renew(self, scope: str, held: list[Held]) -> None:
        for limiter in (self.memory, self.redis):
            self.run(limiter.renew(scope, held))

    @rule(scope=SCOPES, quota=st.sampled_from(["june", "july"]), total=st.integers(0, 6), drop=st.lists(MEMBERS))
    def publish(self, scope: str, quota: str, total: int, drop: list[str]) -> None:
        for limiter in (self.memory, self.redis):
            self.run(limiter.publish(scope, quota, total, drop=drop))

    @rule(seconds=st.sampled_from([0.000_001, 0.3, 1, 2, 14.999_999, 61, 600]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def the_same_is_held(self) -> None:
        if not hasattr(self, "redis"):
            return
        for scope in ("o1", "o2"):
            for name in ("sync", "connections"):
                assert self.memory.count(scope, name) == self.redis.count(scope, name)
            for name in ("june", "july"):
                assert sorted(self.memory.pinned(scope, name)) == sorted(self.redis.pinned(scope, name))

    def teardown(self) -> None:
        if hasattr(self, "redis"):
            self.run(self.redis.aclose())
            self.loop.close()


def test_both_give_the_same_answers(redis_server: RedisServer) -> None:
    machine = type("BothLimitersHere", (BothLimiters,), {"server": redis_server})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
