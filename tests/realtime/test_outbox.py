"""What waits to be sent to a client is bounded, in order, and whole."""

import asyncio

import pytest

from execution.realtime.outbox import DEAF, FRAME, HIGH, LOW, PIECE, ClientGone, Frame, Outbox

PATIENCE = 10


class Program:
    def __init__(self) -> None:
        self.paused = False
        self.pauses = 0

    def pause(self) -> None:
        self.paused = True
        self.pauses += 1

    def resume(self) -> None:
        self.paused = False


class Wire:
    """Takes a frame whenever `go` lets it."""

    def __init__(self) -> None:
        self.sent: list[Frame] = []
        self.gone = False
        self._tickets = asyncio.Semaphore(0)
        self.outbox = Outbox(self._send)

    async def _send(self, frame: Frame) -> None:
        await self._tickets.acquire()
        if self.gone:
            raise ConnectionResetError
        self.sent.append(frame)

    async def go(self, frames: int = 1000) -> None:
        for _ in range(frames):
            self._tickets.release()
        for _ in range(10):
            await asyncio.sleep(0)

    def output(self, program: Program, text: str, stream: str = "stdout") -> None:
        self.outbox.output(program, stream, text, lambda stream, text: {stream: text})


def tasks() -> int:
    return len(asyncio.all_tasks())


async def test_everything_is_sent_in_order():
    wire, program = Wire(), Program()
    wire.outbox.put({"n": 1})
    wire.output(program, "a")
    wire.output(program, "b", "stderr")
    wire.outbox.put({"n": 2})
    await wire.go()
    assert wire.sent == [{"n": 1}, {"stdout": "a"}, {"stderr": "b"}, {"n": 2}]


async def test_output_that_waits_is_joined_up_to_a_piece():
    wire, program = Wire(), Program()
    wire.outbox.put({})
    for _ in range(3 * PIECE // 100):
        wire.output(program, "x" * 100)
    await wire.go()
    pieces = [len(frame["stdout"]) for frame in wire.sent[1:]]
    assert sum(pieces) == 3 * PIECE // 100 * 100
    assert len(pieces) <= 4


async def test_the_program_stands_still_while_too_much_waits():
    wire, program = Wire(), Program()
    while not program.paused:
        wire.output(program, "x" * 10_000)
    waiting = wire.outbox._weight
    assert HIGH < waiting <= HIGH + 10_000
    await wire.go(1)
    assert program.paused
    while wire.outbox._weight >= LOW:
        await wire.go(1)
    assert not program.paused
    assert program.pauses == 1


async def test_the_next_program_stands_still_too_when_what_the_last_one_left_still_waits():
    wire, stopped, program = Wire(), Program(), Program()
    while not stopped.paused:
        wire.output(stopped, "x" * 10_000)
    wire.outbox.put({})
    wire.output(program, "x")
    assert program.paused
    await wire.go()
    assert not program.paused


async def test_a_client_that_sends_and_does_not_read_is_not_heard_any_more():
    wire = Wire()
    for _ in range(DEAF // FRAME + 1):
        wire.outbox.put({})
    assert wire.outbox.deaf
    hearing = asyncio.create_task(wire.outbox.room())
    await asyncio.sleep(0.01)
    assert not hearing.done()
    await wire.go(100)
    await asyncio.wait_for(hearing, PATIENCE)


async def test_a_large_result_weighs_what_it_holds():
    wire = Wire()
    wire.outbox.put({"files": [{"base64": "x" * DEAF}]})
    assert wire.outbox.deaf


async def test_a_client_that_is_gone_costs_nothing_more():
    wire, program = Wire(), Program()
    while not program.paused:
        wire.output(program, "x" * 10_000)
    wire.gone = True
    await wire.go()
    # Not held back: whoever killed it waits for its end.
    assert not program.paused
    for _ in range(1000):
        wire.output(program, "x" * 10_000)
    assert (wire.outbox._weight, len(wire.outbox._waiting), program.paused) == (0, 0, False)
    with pytest.raises(ClientGone):
        await wire.outbox.room()


async def test_an_idle_client_costs_no_task():
    before = tasks()
    wire = Wire()
    wire.outbox.put({})
    assert tasks() == before + 1
    await wire.go()
    assert tasks() == before
    wire.outbox.put({})
    await wire.outbox.close()
    assert tasks() == before
