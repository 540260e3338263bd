"""The supervisor's end of the socket to a sandbox's init."""

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Sequence

from execution.sandbox.frames import ControlLost, Frame, FrameDecoder, pack

_READ = 65536


class Control:
    """One socket. Sending never blocks the loop; frames that come in are handed out in order by `receive`."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._loop = asyncio.get_running_loop()
        self._decoder = FrameDecoder()
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
        self._frames.extend(self._decoder.feed(data))
        if self._frames:
            self._wake()
