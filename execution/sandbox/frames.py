"""The frames that a sandbox's init understands and answers (native/init.c describes each kind)."""

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from execution.sandbox.builds import Build

_HEADER = struct.Struct("=IB")
_ENDED = struct.Struct("=iiQ")
# What init answers about files of the work dir; everything else is about programs.
FILE_KINDS = frozenset("LAC")


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


class FrameDecoder:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes."""
        self._buffer += data
        frames = []
        while len(self._buffer) >= _HEADER.size:
            size, kind = _HEADER.unpack_from(self._buffer)
            end = _HEADER.size + size
            if len(self._buffer) < end:
                break
            frames.append(Frame(chr(kind), bytes(self._buffer[_HEADER.size : end])))
            del self._buffer[:end]
        return frames


def pack(kind: str, *payload: bytes) -> bytes:
    return b"".join((_HEADER.pack(sum(map(len, payload)), ord(kind)), *payload))


def file_frames(files: Mapping[str, bytes]) -> bytes:
    """Orders to write files into the work dir."""
    return b"".join(pack("F", os.fsencode(path), b"\0", content) for path, content in files.items())


def build_frames(build: Build | None) -> bytes:
    """Orders to write the files of a build."""
    files = () if build is None else build.files
    return b"".join(pack("B", file.kind[0].encode(), file.path.encode(), b"\0", file.content) for file in files)


def hot_frame(path: str, gate: str, order: bytes) -> bytes:
    """The order to start the command of `order` before its source, the file at `path`, is there."""
    return pack("H", os.fsencode(path), b"\0", os.fsencode(gate), b"\0", order)


def command(argv: Sequence[str], env: Mapping[str, str]) -> bytes:
    strings = [*argv, *(f"{key}={value}" for key, value in env.items())]
    encoded = [text.encode("utf-8", "surrogateescape") + b"\0" for text in strings]
    return struct.pack("=II", len(argv), len(env)) + b"".join(encoded)
