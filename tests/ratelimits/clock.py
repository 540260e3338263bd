"""A clock that both limiters can be driven by: µs, moved by hand."""

import time


class Clock:
    def __init__(self) -> None:
        self._now = time.time_ns() // 1000

    def __call__(self) -> int:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += round(seconds * 1_000_000)
