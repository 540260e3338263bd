"""Frames that have come from a sandbox's init and wait to be looked at."""

import asyncio
from collections import deque

from execution.sandbox.frames import ControlLost, Frame


class Inbox:
    """Hands them out in order, to one who waits at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._frames: deque[Frame] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost = False

    def put(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._wake()

    def lose(self) -> None:
        """Nothing more will come."""
        self._lost = True
        self._wake()

    async def receive(self) -> Frame:
        """The next frame, or ControlLost once init has gone and nothing is left to hand out."""
        while not self._frames:
            if self._lost:
                raise ControlLost
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._frames.popleft()

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for a frame that has not come."""
        return self._waiter is not None and not self._waiter.done()

    def _wake(self) -> None:
        if self.waiting and self._waiter is not None:
            self._waiter.set_result(None)
