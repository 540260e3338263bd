"""The supervisor's end of a container's attached streams: frames in, frames out (relay.c)."""

import asyncio
import logging
import struct
from collections.abc import Callable

from execution.sandbox.capture import Capture
from execution.sandbox.docker.engine import Engine
from execution.sandbox.docker.flow import Feed, Window
from execution.sandbox.errors import SandboxError
from execution.sandbox.frames import FILE_KINDS, ControlLost, Frame, FrameDecoder, pack
from execution.sandbox.inbox import Inbox
from execution.sandbox.stage import Usage

log = logging.getLogger(__name__)

# The Engine's own multiplexing of a container's two outputs: which one, three bytes of nothing, how much follows.
_MULTIPLEX = struct.Struct("!BxxxI")
_STDOUT = 1
_USAGE = struct.Struct("=QQQ")
_HEAD_END = b"\r\n\r\n"


class Attachment(asyncio.Protocol):
    """The way to a container's relay. Frames of init are handed out in order by `receive` and `receive_file`; what the
    program prints goes into the captures of `listen`, what a kernel tells to the hearer of `hear`, and what the
    container has used so far is kept in `usage`."""

    def __init__(self, container: str) -> None:
        self._container = container
        self._loop = asyncio.get_running_loop()
        self._upgraded: asyncio.Future[None] = self._loop.create_future()
        self._head = b""
        self._multiplexed = bytearray()
        self._decoder = FrameDecoder()
        self._programs, self._files = Inbox(), Inbox()
        self._transport: asyncio.Transport | None = None
        self._captures: dict[str, Capture] = {}
        self._input = Feed(self._write, kind="i", end="z")
        self._output = Window(self._write, kind="a")
        self._messages_in = Feed(self._write, kind="m")
        self._messages_out = Window(self._write, kind="t")
        self._hearer: Callable[[bytes], None] | None = None
        self.usage = Usage(0.0, 0, 0)
        self.lost: asyncio.Future[None] = self._loop.create_future()

    @classmethod
    async def open(cls, engine: Engine, container: str) -> "Attachment":
        """Attaches to a container that is not started yet, so that nothing it says is missed."""
        attachment = cls(container)
        await engine.open(lambda: attachment)
        await attachment._upgraded
        return attachment

    # --- orders ---

    async def send(self, data: bytes) -> None:
        """Sends whole frames. Raises ControlLost."""
        if self.lost.done() or self._transport is None:
            raise ControlLost
        self._transport.write(data)

    async def receive(self) -> Frame:
        """The next frame about a program, or ControlLost once the container has gone and nothing is left."""
        return await self._programs.receive()

    async def receive_file(self) -> Frame:
        """The next frame about a file of the work dir (`context_files`), likewise."""
        return await self._files.receive()

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for a frame about a program that has not come."""
        return self._programs.waiting

    def order_kill(self) -> None:
        """Tells init to kill whatever runs."""
        self._write(pack("K"))

    def close(self) -> None:
        """Ends the relay's input, and with it the container."""
        if self._transport is not None:
            self._transport.abort()

    # --- a program's streams ---

    def listen(self, *, stdout: Capture, stderr: Capture) -> None:
        """Where the next program's output goes."""
        self._captures = {"o": stdout, "e": stderr}
        self._output.reset()

    def give_input(self, data: bytes) -> None:
        """Gives the program input, as fast as it takes it."""
        self._input.give(data)

    def end_input(self) -> None:
        """End-of-file, after everything that was given."""
        self._input.finish()

    def pause(self, paused: bool) -> None:
        """Whether nothing more is taken from the program, which is held back once its pipes are full."""
        self._output.pause(paused)

    # --- a kernel ---

    def hear(self, hearer: Callable[[bytes], None]) -> None:
        """Who gets what comes through the channel of the kernel that is started next."""
        self._hearer = hearer

    def tell(self, data: bytes) -> None:
        """Sends bytes through the channel."""
        self._messages_in.give(data)

    def rest(self, resting: bool) -> None:
        """Whether all that runs inside is stopped."""
        self._write(pack("r" if resting else "w"))

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self.lost.done():
            self._transport.write(data)

    # --- what comes in ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (what stream connections have)
        self._transport = transport
        transport.write(
            f"POST /containers/{self._container}/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\n"
            "Host: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._upgraded.done():
            self._upgraded.set_exception(SandboxError("The Docker Engine hung up on an attachment."))
        if not self.lost.done():
            self.lost.set_result(None)
        self._programs.lose()
        self._files.lose()

    def data_received(self, data: bytes) -> None:
        if not self._upgraded.done():
            data = self._read_head(data)
        self._multiplexed += data
        while len(self._multiplexed) >= _MULTIPLEX.size:
            stream, size = _MULTIPLEX.unpack_from(self._multiplexed)
            end = _MULTIPLEX.size + size
            if len(self._multiplexed) < end:
                return
            part = bytes(self._multiplexed[_MULTIPLEX.size : end])
            del self._multiplexed[:end]
            if stream != _STDOUT:
                log.warning("a container's relay says: %s", part.decode(errors="replace").strip())
                continue
            for frame in self._decoder.feed(part):
                self._take(frame)

    def _read_head(self, data: bytes) -> bytes:
        """The answer to the request; returns what comes after it."""
        self._head += data
        head, end, rest = self._head.partition(_HEAD_END)
        if not end:
            return b""
        status = head.split(b"\r\n", 1)[0].decode(errors="replace")
        if status.split(" ")[1:2] in (["101"], ["200"]):
            self._upgraded.set_result(None)
            return rest
        self._upgraded.set_exception(SandboxError(f"The Docker Engine refused an attachment: {status}."))
        self.close()
        return b""

    def _take(self, frame: Frame) -> None:
        if frame.kind in "oe":
            if capture := self._captures.get(frame.kind):
                capture.feed(frame.payload)
            self._output.count(len(frame.payload))
        elif frame.kind == "i":
            self._input.taken()
        elif frame.kind == "m":
            if self._hearer is not None:
                self._hearer(frame.payload)
            self._messages_out.count(len(frame.payload))
        elif frame.kind == "s":
            self._messages_in.taken()
        elif frame.kind == "u":
            cpu_ns, peak, kills = _USAGE.unpack(frame.payload)
            self.usage = Usage(cpu_ns / 1e9, peak, kills)
        else:
            (self._files if frame.kind in FILE_KINDS else self._programs).put(frame)
