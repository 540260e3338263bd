"""The flow of bytes to and from a container: neither side sends more than the other has room for (relay.c)."""

import struct
from collections.abc import Callable

from execution.sandbox.frames import pack

Write = Callable[[bytes], None]

# The relay takes no more of a feed's bytes at once, and lets four times as many of what it reads be under way.
PART = 65536


class Feed:
    """Bytes for a descriptor inside, one part at a time: what is not taken there waits here, not in the container's
    memory. `kind` is the frame that carries a part, `end` the one that ends it all."""

    def __init__(self, write: Write, *, kind: str, end: str = "") -> None:
        self._write = write
        self._kind, self._end = kind, end
        self._pending = bytearray()
        self._under_way = self._ending = False

    def give(self, data: bytes) -> None:
        self._pending += data
        self._send()

    def finish(self) -> None:
        """Nothing more, after everything that was given."""
        self._ending = True
        self._send()

    def taken(self) -> None:
        """The relay has said that the part was taken."""
        self._under_way = False
        self._send()

    def _send(self) -> None:
        if self._under_way:
            return
        if self._pending:
            part = bytes(self._pending[:PART])
            del self._pending[:PART]
            self._under_way = True
            self._write(pack(self._kind, part))
        elif self._ending:
            self._ending = False
            self._write(pack(self._end))


class Window:
    """Counts what comes of a descriptor inside, and says so to the relay, which then lets more come. `kind` is the
    frame that says it."""

    def __init__(self, write: Write, *, kind: str) -> None:
        self._write = write
        self._kind = kind
        self._taken, self._paused = 0, False

    def count(self, size: int) -> None:
        self._taken += size
        self._tell()

    def pause(self, paused: bool) -> None:
        self._paused = paused
        self._tell()

    def reset(self) -> None:
        """For the next program."""
        self._taken, self._paused = 0, False

    def _tell(self) -> None:
        if self._taken >= PART and not self._paused:
            self._write(pack(self._kind, struct.pack("=I", self._taken)))
            self._taken = 0
