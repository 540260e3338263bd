"""Sandboxes made ahead: handed out once, as many as recent demand wants, none lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from execution.sandbox import pool as pool_module
from execution.sandbox.errors import SandboxUnavailable
from execution.sandbox.pool import LEAST_READY, Pool


class Box:
    """The least that a pool takes: something that lives until it is destroyed."""

    def __init__(self, kind: str, number: int) -> None:
        self.kind, self.number, self.alive = kind, number, True

    async def destroy(self) -> None:
        self.alive = False


class Maker:
    def __init__(self) -> None:
        self.made: list[Box] = []
        self.error: Exception | None = None

    async def __call__(self, kind: str) -> Box:
        await asyncio.sleep(0.001)
        if self.error is not None:
            raise self.error
        self.made.append(Box(kind, len(self.made)))
        return self.made[-1]


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
async def pool(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pool[str, Box]]:
    monkeypatch.setattr(pool_module, "TRIM_INTERVAL", 0.02)
    pool: Pool[str, Box] = Pool(maker, most_ready=6)
    yield pool
    await pool.close()
    assert not any(box.alive for box in maker.made[:] if box not in taken)
    taken.clear()


taken: list[Box] = []


async def take(pool: Pool[str, Box], kind: str) -> Box:
    box = await pool.take(kind)
    taken.append(box)
    return box


async def test_nobody_gets_what_another_got(pool: Pool[str, Box]) -> None:
    boxes = await asyncio.gather(*(take(pool, "a") for _ in range(20)))
    assert len({box.number for box in boxes}) == 20


async def test_what_is_kept_is_ready_before_it_is_asked_for(pool: Pool[str, Box], maker: Maker) -> None:
    pool.keep(["a"])
    await asyncio.sleep(0.02)
    assert pool.ready == LEAST_READY
    assert (await take(pool, "a")).number == 0


async def test_after_many_at_once_many_are_ready_up_to_the_most(pool: Pool[str, Box]) -> None:
    await asyncio.gather(*(take(pool, "a") for _ in range(20)))
    for _ in range(20):
        pool.done("a")
    await asyncio.sleep(0.05)
    assert pool.ready == 6


async def test_what_is_no_longer_in_demand_goes(pool: Pool[str, Box], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "HALF_LIFE", 0.001)
    pool.keep(["a"])
    await take(pool, "b")
    pool.done("b")
    await asyncio.sleep(0.1)
    assert pool.ready == LEAST_READY
    pool.keep([])
    await asyncio.sleep(0.1)
    assert pool.ready == 0


async def test_one_that_died_while_it_waited_is_not_handed_out(pool: Pool[str, Box], maker: Maker) -> None:
    pool.keep(["a"])
    await asyncio.sleep(0.02)
    for box in maker.made:
        box.alive = False
    assert (await take(pool, "a")).alive
    while pool.ready < LEAST_READY:
        await asyncio.sleep(0.01)
    assert pool.ready == LEAST_READY


async def test_a_failure_reaches_who_waits_and_the_next_is_served(pool: Pool[str, Box], maker: Maker) -> None:
    maker.error = SandboxUnavailable("no room")
    with pytest.raises(SandboxUnavailable, match="no room"):
        await pool.take("a")
    maker.error = None
    assert (await take(pool, "a")).alive


async def test_who_gives_up_waiting_loses_no_sandbox(pool: Pool[str, Box], maker: Maker) -> None:
    waiting = [asyncio.create_task(pool.take("a")) for _ in range(3)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    box = await take(pool, "a")
    assert box in maker.made


async def test_what_is_kept_takes_no_room_from_what_is_in_demand(pool: Pool[str, Box]) -> None:
    kinds = [f"kind {number}" for number in range(10)]
    pool.keep(kinds)
    while pool.ready < LEAST_READY * len(kinds):
        await asyncio.sleep(0.01)
    for _ in range(5):
        await take(pool, kinds[-1])
    for _ in range(5):
        pool.done(kinds[-1])
    while pool.ready < LEAST_READY * (len(kinds) - 1) + 5:
        await asyncio.sleep(0.01)
    assert pool.ready == LEAST_READY * (len(kinds) - 1) + 5
