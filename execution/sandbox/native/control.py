"""The supervisor's end of the socket to a sandbox's init."""

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Sequence

from execution.sandbox.frames import FILE_KINDS, ControlLost, Frame, FrameDecoder, pack
from execution.sandbox.inbox import Inbox

_READ = 65536


class Control:
    """One socket. Sending never blocks the loop; frames that come in are handed out in order, by `receive` and
    `receive_file`."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._loop = asyncio.get_running_loop()
        self._decoder = FrameDecoder()
        self._programs, self._files = Inbox(), Inbox()
        self._descriptors: deque[int] = deque()
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
        """The next frame about a program, or ControlLost once init has gone and nothing is left to hand out."""
        return await self._programs.receive()

    async def receive_file(self) -> Frame:
        """The next frame about a file, likewise."""
        return await self._files.receive()

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for a frame about a program that has not come."""
        return self._programs.waiting

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
        self._programs.lose()
        self._files.lose()

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
        for frame in self._decoder.feed(data):
            (self._files if frame.kind in FILE_KINDS else self._programs).put(frame)
