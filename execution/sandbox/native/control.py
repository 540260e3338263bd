"""The supervisor's end of the socket to a sandbox's init: the frames of init.c."""

import asyncio
import contextlib
import os
import socket
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_HEADER = struct.Struct("=IB")
_ENDED = struct.Struct("=iiQ")
_READ = 65536


@dataclass(frozen=True, slots=True)
class Ended:
    """A program's end as init saw it: wait status, errno where it could not be started, wall seconds."""

    status: int
    error: int
    wall_seconds: float


@dataclass(frozen=True, slots=True)
class Frame:
    kind: str
    payload: bytes

    def ended(self) -> Ended:
        status, error, wall_ns = _ENDED.unpack(self.payload)
        return Ended(status, error, wall_ns / 1e9)


class ControlLost(Exception):
    """Init has gone: the kernel ended the sandbox, for want of memory or because it was killed from outside."""


def pack(kind: str, *payload: bytes) -> bytes:
    return b"".join((_HEADER.pack(sum(map(len, payload)), ord(kind)), *payload))


def file_frame(path: str, content: bytes) -> bytes:
    return pack("F", os.fsencode(path), b"\0", content)


def build_frame(path: str, content: bytes, *, executable: bool) -> bytes:
    return pack("B", b"\1" if executable else b"\0", path.encode(), b"\0", content)


def command(argv: Sequence[str], env: Mapping[str, str]) -> bytes:
    strings = [*argv, *(f"{key}={value}" for key, value in env.items())]
    encoded = [text.encode("utf-8", "surrogateescape") + b"\0" for text in strings]
    return struct.pack("=II", len(argv), len(env)) + b"".join(encoded)


class Control:
    """One socket. Sending never blocks the loop; frames that come in are handed out in order by `receive`."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._frames: deque[Frame] = deque()
        self._descriptors: deque[int] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost = False
        self._loop.add_reader(connection, self._on_readable)

    async def send(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        """Sends whole frames; the descriptors ride along with the first byte and stay open here."""
        try:
            while True:
                try:
                    sent = (
                        socket.send_fds(self._socket, [data], descriptors) if descriptors else self._socket.send(data)
                    )
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.001)
            if sent < len(data):
                await self._loop.sock_sendall(self._socket, memoryview(data)[sent:])
        except OSError as error:
            raise ControlLost from error

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

    def order_kill(self) -> None:
        """Tells init to kill whatever runs. An order that cannot be sent is no loss: init has gone, or is stuck."""
        with contextlib.suppress(OSError):
            self._socket.send(pack("K"))

    async def directory(self, name: str) -> int:
        """A descriptor of the sandbox's "work" or "build" folder, which the caller closes."""
        await self.send(pack("D", name.encode()))
        while (await self.receive()).kind != "D":
            continue
        return self._descriptors.popleft()

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()
        while self._descriptors:
            os.close(self._descriptors.popleft())
        self._lose()

    def _lose(self) -> None:
        self._lost = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _on_readable(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._socket, _READ, 1)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        self._descriptors.extend(descriptors)
        if not data:
            self._loop.remove_reader(self._socket)
            self._lose()
            return
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            size, kind = _HEADER.unpack_from(self._buffer)
            end = _HEADER.size + size
            if len(self._buffer) < end:
                break
            self._frames.append(Frame(chr(kind), bytes(self._buffer[_HEADER.size : end])))
            del self._buffer[:end]
        if self._frames:
            self._wake()
