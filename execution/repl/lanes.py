"""Work that is done one piece after the other, in the order in which it was asked for."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from config.errors import ApiError
from execution.realtime.frames import broken
from execution.realtime.outbox import Outbox
from execution.repl.messages import Message
from execution.sandbox.errors import SandboxError

_log = structlog.get_logger("runcode.repl")

# Requests that may wait in a lane.
MOST_WAITING: Final = 64


@dataclass(frozen=True, slots=True)
class Work:
    """`run` gives the messages that answer a request, `refused` the one that answers it where it fails."""

    run: Callable[[], Awaitable[list[Message]]]
    refused: Callable[[str], Message]


class Lane:
    """Answers go into `outbox`. No task exists while there is nothing to do."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._waiting: deque[Work] = deque()
        self._running: Work | None = None
        self._task: asyncio.Task[None] | None = None

    def put(self, work: Work) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._outbox.put(work.refused(f"{MOST_WAITING} requests wait already. Wait for an answer, then send more."))
            return
        self._waiting.append(work)
        if self._task is None:
            self._task = asyncio.create_task(self._work())

    async def clear(self, *, why: str = "") -> None:
        """Stops what runs and forgets what waits; with `why`, each is answered with that. Returns when nothing runs."""
        unanswered = [*([self._running] if self._running else []), *self._waiting]
        self._waiting.clear()
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.wait([task])
            # One that had not begun has not done it.
            self._running = self._task = None
        for work in unanswered if why else ():
            self._outbox.put(work.refused(why))

    async def _work(self) -> None:
        try:
            while self._waiting:
                self._running = work = self._waiting.popleft()
                for answer in await _answers(work):
                    self._outbox.put(answer)
                self._running = None
        finally:
            self._running = self._task = None


async def _answers(work: Work) -> list[Message]:
    try:
        return await work.run()
    except ApiError as error:
        return [work.refused(error.message)]
    except SandboxError as error:
        return [work.refused(str(error))]
    except Exception:
        _log.exception("a request of a ReplitClient failed")
        return [work.refused(broken().message)]
