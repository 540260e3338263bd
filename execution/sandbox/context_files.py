"""The files of a context's work dir, reached while its cells run and in between.

Init does it, inside (native/files.c): with the program's own rights, at the sandbox's own cost, and without following
anything that a program puts in its way. Here its answers are put into words.
"""

import asyncio
import errno
import os
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from execution.sandbox.artifacts import shown
from execution.sandbox.errors import ContextBusy, ContextEnded, ContextFileRefused, ContextFileUnknown
from execution.sandbox.frames import ControlLost, Frame, pack
from execution.sandbox.job import MIB, MOST_PATH_BYTES

T = TypeVar("T")

# One file, as it is read or written; all of them together have the work dir's room (`Limits.work_bytes`).
MOST_FILE_BYTES: Final = 16 * MIB
# Requests about the files of one context that may wait, each maybe with a file's content.
MOST_WAITING: Final = 4
# How long one may take: init shares the processors of its program.
PATIENCE: Final = 30.0

_ANSWER = struct.Struct("=iQ")
_ENTRY = struct.Struct("=Qq")
_SIZE = struct.Struct("=I")

_REFUSED: Final = {
    errno.EISDIR: "That is no regular file.",
    errno.ENXIO: "That is no regular file.",
    errno.ELOOP: "That is a link; links are not followed.",
    errno.ENOTDIR: "A part of the path is no folder.",
    errno.EFBIG: f"The file is larger than {MOST_FILE_BYTES // MIB} MB, which is the most that can be fetched.",
    errno.ENOSPC: "There is no room for it in the work dir.",
    errno.EAGAIN: "A program in the context holds the file.",
}


@dataclass(frozen=True, slots=True)
class ContextFile:
    """A regular file. `path` is relative to the work dir, `size` in bytes, `modified_at` in seconds since the epoch."""

    path: str
    size: int
    modified_at: float


class FileList(list[ContextFile]):
    """Sorted by path. `complete` is False where there are more: a listing ends after 10,000 entries, 2 MB of
    names, and 16 folders down."""

    complete = True


class FileControl(Protocol):
    """The way to a sandbox's init, as requests about files need it."""

    async def send(self, data: bytes) -> None:
        """Whole frames. Raises ControlLost."""

    async def receive_file(self) -> Frame:
        """The next of the frames that FILE_KINDS names. Raises ControlLost."""


class Files:
    """Those of one sandbox, which lives until its context ends. All methods raise ContextEnded once init has gone,
    ContextBusy when too many others wait, ContextFileUnknown and ContextFileRefused."""

    def __init__(self, control: FileControl) -> None:
        self._control = control
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def listed(self) -> FileList:
        return await self._ask(self._listed)

    async def read(self, path: str) -> bytes:
        name = _name(path)
        return await self._ask(lambda: self._read(name))

    async def write(self, path: str, data: bytes) -> None:
        """Makes the folders, and takes the place of what has the name: a file, or a link."""
        if len(data) > MOST_FILE_BYTES:
            raise ContextFileRefused(f"A file may have at most {MOST_FILE_BYTES // MIB} MB.")
        name = _name(path)
        await self._ask(lambda: self._done(pack("P", _SIZE.pack(len(name)), name, data)))

    async def remove(self, path: str) -> None:
        name = _name(path)
        await self._ask(lambda: self._done(pack("U", name)))

    async def _ask(self, work: Callable[[], Awaitable[T]]) -> T:
        """One after the other, each to its end, also when nobody waits for it any more: answers bear no names."""
        if self._waiting > MOST_WAITING:
            raise ContextBusy(f"{MOST_WAITING} requests wait for this context’s files already. Try again in a moment.")
        self._waiting += 1

        async def turn() -> T:
            try:
                async with self._turn:
                    return await work()
            except ControlLost:
                raise ContextEnded("The context has lost its files. Restart it, or open a new one.") from None
            finally:
                self._waiting -= 1

        asked = asyncio.ensure_future(turn())
        asked.add_done_callback(_look_at)
        try:
            return await asyncio.wait_for(asyncio.shield(asked), PATIENCE)
        except TimeoutError:
            raise ContextBusy("The context is too busy to answer for its files. Interrupt it, or try again.") from None

    async def _listed(self) -> FileList:
        await self._control.send(pack("L"))
        files = FileList()
        while (frame := await self._control.receive_file()).kind == "L":
            payload = frame.payload
            while payload:
                size, modified_ns = _ENTRY.unpack_from(payload)
                path, _, payload = payload[_ENTRY.size :].partition(b"\0")
                files.append(ContextFile(shown(os.fsdecode(path)), size, modified_ns / 1e9))
        error, _ = _ANSWER.unpack(frame.payload)
        files.complete = error == 0
        files.sort(key=lambda file: file.path)
        return files

    async def _read(self, name: bytes) -> bytes:
        await self._done(pack("O", struct.pack("=Q", MOST_FILE_BYTES), name))
        content = bytearray()
        while part := (await self._control.receive_file()).payload:
            content += part
        return bytes(content)

    async def _done(self, order: bytes) -> None:
        await self._control.send(order)
        error, _ = _ANSWER.unpack((await self._control.receive_file()).payload)
        if error == errno.ENOENT:
            raise ContextFileUnknown("There is no such file in the context.")
        if error:
            raise ContextFileRefused(_REFUSED.get(error) or f"It could not be done: {os.strerror(error)}.")


def _name(path: str) -> bytes:
    """Raises ContextFileRefused for what is no path inside a work dir; surfaces say more, and sooner."""
    name = path.encode("utf-8", "surrogateescape")
    if len(name) > MOST_PATH_BYTES or "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise ContextFileRefused("That is no path inside the work dir.")
    return name + b"\0"


def _look_at(asked: "asyncio.Future[T]") -> None:
    """What nobody waited for must not be reported as an error that nobody handled."""
    if not asked.cancelled():
        asked.exception()
