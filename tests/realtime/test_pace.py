"""A client that sends megabytes on end is listened to slowly, one that sends what people type at once."""

import time
from collections.abc import Mapping
from typing import Any

from execution.realtime.asgi import CHARACTERS_PER_SECOND, UNPACED, paced


async def seconds(size: int, frames: int) -> float:
    async def receive() -> Mapping[str, Any]:
        return {"type": "websocket.receive", "text": "x" * size}

    listening = paced(receive)
    began = time.monotonic()
    for _ in range(frames + 1):
        assert len((await listening())["text"]) == size
    return time.monotonic() - began


async def test_large_frames_are_taken_at_the_pace_that_is_set():
    assert await seconds(UNPACED * 2, 3) >= 3 * UNPACED * 2 / CHARACTERS_PER_SECOND


async def test_small_ones_are_taken_as_they_come():
    assert await seconds(100 * 1024, 200) < 200 * 100 * 1024 / CHARACTERS_PER_SECOND
