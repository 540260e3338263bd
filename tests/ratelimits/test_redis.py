"""What only the limiter over Redis has to stand: other processes, a server emptied or gone, cancelled callers."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from accounts.ratelimits import Held, Lease, LimiterUnavailable, Quota, RedisLimiter, TokenBucket
from tests.ratelimits.redis_server import RedisServer

CHECKS = [
    Quota("runs", 1000, "a", 600),
    Lease("sync", 4, "a", 15),
    TokenBucket.per_second("k1", rate=50, burst=250),
]
HELD = [held for check in CHECKS if (held := Held.of(check))]

CONTENDER = """
import asyncio, sys
from accounts.ratelimits import Lease, Quota, RedisLimiter

async def main(url, name):
    limiter = RedisLimiter(url)
    granted = 0

    async def attempt(number):
        nonlocal granted
        member = f"{name}{number}"
        checks = [Quota("runs", 300, member, 600), Lease("sync", 250, member, 60)]
        decision = await limiter.acquire("o1", checks)
        granted += decision.granted

    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(0, 400, 20):
        await asyncio.gather(*(attempt(number) for number in range(start, start + 20)))
    await limiter.aclose()
    print(granted)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def limiter(redis_server: RedisServer) -> AsyncIterator[RedisLimiter]:
    limiter = RedisLimiter(redis_server.url)
    yield limiter
    await limiter.aclose()


@pytest.fixture
def mortal_server(tmp_path: Path) -> "AsyncIterator[RedisServer]":
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


async def test_it_keeps_the_servers_time(limiter: RedisLimiter) -> None:
    bucket = TokenBucket.per_second("k1", rate=20, burst=1)
    assert (await limiter.acquire("o1", [bucket])).granted
    refusal = await limiter.acquire("o1", [bucket])
    assert 0 < refusal.retry_after <= 50_000
    await asyncio.sleep(refusal.retry_after / 1_000_000)
    assert (await limiter.acquire("o1", [bucket])).granted


async def test_acquiring_and_finishing_are_one_round_trip_each(
    limiter: RedisLimiter, redis_server: RedisServer
) -> None:
    await limiter.publish("o1", "runs", 0)
    await limiter.acquire("o1", CHECKS)
    await limiter.finish("o1", HELD)
    with redis_server.client() as client:
        client.config_resetstat()
        before = client.info("stats")["total_reads_processed"]
        await limiter.acquire("o1", CHECKS)
        await limiter.finish("o1", HELD, pin=True)
        # One read is this client's own question.
        assert client.info("stats")["total_reads_processed"] - before - 1 == 2
    assert redis_server.calls()["evalsha"] == 2


async def test_all_keys_of_a_step_share_a_hash_slot_and_expire(
    limiter: RedisLimiter, redis_server: RedisServer
) -> None:
    await limiter.publish("o1", "runs", 0)
    await limiter.acquire("o1", CHECKS)
    with redis_server.client() as client:
        keys = client.keys()
        assert len(keys) == 4
        assert {key.partition(b"}")[0] for key in keys} == {b"runcode:{o1"}
        assert all(client.pttl(key) > 0 for key in keys)


def contender(url: str, name: str) -> "subprocess.Popen[str]":
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", CONTENDER, url, name]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


async def test_two_processes_share_one_limit(limiter: RedisLimiter, redis_server: RedisServer) -> None:
    await limiter.publish("o1", "runs", 60)
    contenders = [contender(redis_server.url, name) for name in "pq"]
    for process in contenders:
        assert process.stdout.readline() == "ready\n"
    for process in contenders:
        process.stdin.write("go\n")
        process.stdin.flush()
    granted = [int(process.communicate(timeout=60)[0]) for process in contenders]

    assert sum(granted) == 240
    assert limiter.count("o1", "sync") == 240


async def test_it_asks_for_the_total_again_after_redis_was_emptied(
    limiter: RedisLimiter, redis_server: RedisServer
) -> None:
    await limiter.publish("o1", "runs", 1000)
    assert (await limiter.acquire("o1", CHECKS)).refused == 0
    redis_server.reset()
    assert (await limiter.acquire("o1", CHECKS)).unknown_total


async def test_it_refuses_while_redis_is_gone_and_recovers_by_itself(mortal_server: RedisServer) -> None:
    limiter = RedisLimiter(mortal_server.url)
    await limiter.publish("o1", "runs", 0)
    assert (await limiter.acquire("o1", CHECKS)).granted

    mortal_server.kill()
    with pytest.raises(LimiterUnavailable):
        await limiter.acquire("o1", CHECKS)
    with pytest.raises(LimiterUnavailable):
        await limiter.finish("o1", HELD)
    with pytest.raises(LimiterUnavailable):
        limiter.count("o1", "sync")
    with pytest.raises(LimiterUnavailable):
        limiter.pinned("o1", "runs")

    mortal_server.start()
    await limiter.publish("o1", "runs", 0)
    assert (await limiter.acquire("o1", CHECKS)).granted
    assert limiter.count("o1", "sync") == 1
    await limiter.aclose()


async def test_a_restart_between_two_calls_costs_no_refusal(mortal_server: RedisServer) -> None:
    limiter = RedisLimiter(mortal_server.url)
    await asyncio.gather(*(limiter.publish("o1", "runs", 0) for _ in range(5)))
    mortal_server.kill()
    mortal_server.start()
    # The connections are broken and the scripts forgotten, which no caller notices.
    decisions = await asyncio.gather(*(limiter.acquire("o1", [Lease("sync", 9, str(n), 15)]) for n in range(5)))
    assert all(decision.granted for decision in decisions)
    await limiter.aclose()


async def test_a_full_redis_refuses_rather_than_to_grant_uncounted(mortal_server: RedisServer) -> None:
    limiter = RedisLimiter(mortal_server.url)
    with mortal_server.client() as client:
        client.config_set("maxmemory", 1)
        client.config_set("maxmemory-policy", "noeviction")
    with pytest.raises(LimiterUnavailable):
        await limiter.acquire("o1", [TokenBucket.per_second("k1", rate=1, burst=1)])
    with pytest.raises(LimiterUnavailable):
        await limiter.publish("o1", "runs", 0)
    await limiter.aclose()


async def test_a_caller_cancelled_while_acquiring_holds_nothing(
    limiter: RedisLimiter, redis_server: RedisServer
) -> None:
    lease = Lease("sync", 1, "a", 600)
    for moment in range(12):
        task = asyncio.create_task(limiter.acquire("o1", [lease]))
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        done = (await asyncio.gather(task, return_exceptions=True))[0]
        if not isinstance(done, asyncio.CancelledError):
            await limiter.finish("o1", [Held("lease", "sync", "a", 600)])
    await limiter.aclose()
    with redis_server.client() as client:
        assert client.keys() == []
        assert client.info("commandstats")["cmdstat_evalsha"]["calls"] >= 12


async def test_a_caller_cancelled_while_finishing_gives_back_all_the_same(limiter: RedisLimiter) -> None:
    await limiter.acquire("o1", [Lease("sync", 1, "a", 600)])
    task = asyncio.create_task(limiter.finish("o1", [Held("lease", "sync", "a", 600)]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await limiter.aclose()
    assert limiter.count("o1", "sync") == 0


async def test_a_caller_cancelled_while_redis_is_gone_leaves_no_task_behind(mortal_server: RedisServer) -> None:
    limiter = RedisLimiter(mortal_server.url)
    mortal_server.kill()
    task = asyncio.create_task(limiter.acquire("o1", CHECKS))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await limiter.aclose()
    assert {task for task in asyncio.all_tasks() if task is not asyncio.current_task()} == set()


async def test_a_cancellation_is_never_lost(limiter: RedisLimiter) -> None:
    async def endless() -> None:
        while True:
            await limiter.publish("o1", "runs", 0)

    for moment in range(300):
        task = asyncio.create_task(endless())
        for _ in range(moment % 23):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=10)
        assert done == {task}, moment
        assert task.cancelled()


async def test_more_callers_than_connections_wait_for_one(limiter: RedisLimiter, redis_server: RedisServer) -> None:
    decisions = await asyncio.gather(*(limiter.acquire("o1", [Lease("sync", 500, str(n), 15)]) for n in range(300)))
    assert all(decision.granted for decision in decisions)
    with redis_server.client() as client:
        assert client.info("clients")["connected_clients"] <= 40
