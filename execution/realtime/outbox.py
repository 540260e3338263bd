"""What waits to be sent to one client, in order and within bounds."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

# Characters that may wait. A program is held back at the first and let go at the second; past the third nothing new is
# begun for the client.
HIGH: Final = 256 * 1024
LOW: Final = 64 * 1024
DEAF: Final = 512 * 1024
# Frames that may wait; past them the client only sends and never reads.
MOST_FRAMES: Final = 1000
# What is printed in small pieces leaves in larger ones when the client is slower than the program.
PIECE: Final = 64 * 1024
# What a frame weighs beside the texts in it.
FRAME: Final = 512

# How ASGI says that the client is gone; and how uvicorn says it when it was the one to close.
GONE: Final = (OSError, RuntimeError)

Frame = Mapping[str, Any]


class Source(Protocol):
    """The program behind the output; see execution.sandbox.live.Live."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class ClientGone(Exception):
    """Nothing can be sent to this client any more."""


class Outbox:
    """Sends frames one after the other with `send`, which takes as long as the client does.

    Frames are `put`, output is put by `output` and becomes the frame `frame(stream, text)`. No task exists while
    nothing waits, so an idle client costs none.
    """

    def __init__(self, send: Callable[[Frame], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: deque[_Frame | _Output] = deque()
        self._weight = 0
        self._sending: asyncio.Task[None] | None = None
        self._held_back: Source | None = None
        self._gone = False
        self._changed = asyncio.Event()

    @property
    def deaf(self) -> bool:
        """Whether the client is far behind with reading."""
        return self._weight > DEAF

    @property
    def flooded(self) -> bool:
        """Whether the client sends and sends, and does not read what it is answered."""
        return len(self._waiting) > MOST_FRAMES

    def put(self, frame: Frame) -> None:
        self._add(_Frame(frame))

    def output(self, source: Source, stream: str, text: str, frame: Callable[[str, str], Frame]) -> None:
        """Output of the program `source`, which is paused while too much waits."""
        last = self._waiting[-1] if self._waiting else None
        if isinstance(last, _Output) and last.stream == stream and last.weight < PIECE:
            last.add(text)
            self._weight += len(text)
        else:
            self._add(_Output(stream, text, frame))
        # The one that is held back may have been stopped since: there is one watched program at a time.
        if self._weight > HIGH and self._held_back is not source and not self._gone:
            self._held_back = source
            source.pause()

    async def room(self) -> None:
        """Returns once less than `DEAF` waits. Raises ClientGone."""
        while self.deaf and not self._gone:
            self._changed.clear()
            await self._changed.wait()
        if self._gone:
            raise ClientGone

    async def flushed(self) -> None:
        """Returns once everything is sent, or cannot be."""
        if self._sending is not None:
            await asyncio.wait([self._sending])

    async def close(self) -> None:
        """Forgets what waits."""
        self._end()
        if (task := self._sending) is not None:
            task.cancel()
            await asyncio.wait([task])

    def _add(self, item: "_Frame | _Output") -> None:
        if self._gone:
            return
        self._waiting.append(item)
        self._weight += item.weight
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                item = self._waiting.popleft()
                await self._send(item.made())
                self._lighten(item.weight)
        except GONE:
            self._end()
        finally:
            self._sending = None

    def _lighten(self, weight: int) -> None:
        self._weight -= weight
        self._changed.set()
        if self._held_back is not None and self._weight < LOW:
            source, self._held_back = self._held_back, None
            source.resume()

    def _end(self) -> None:
        self._gone = True
        self._waiting.clear()
        self._lighten(self._weight)


class _Frame:
    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.weight = FRAME + _characters(frame)

    def made(self) -> Frame:
        return self._frame


class _Output:
    def __init__(self, stream: str, text: str, frame: Callable[[str, str], Frame]) -> None:
        self.stream = stream
        self._frame = frame
        self._texts = [text]
        self.weight = len(text)

    def add(self, text: str) -> None:
        self._texts.append(text)
        self.weight += len(text)

    def made(self) -> Frame:
        return self._frame(self.stream, "".join(self._texts))


def _characters(value: object) -> int:
    """Of all texts in a frame: what a result holds besides is small."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_characters, value.values()))
    return sum(map(_characters, value)) if isinstance(value, list) else 0
