"""Reading the files that a program or a compiler left in a container: the same files as on the native driver, by
request to the relay, which follows no link and opens nothing but regular files."""

import os
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from execution.sandbox import artifacts, builds
from execution.sandbox.artifacts import Folder, matching, shown
from execution.sandbox.builds import Build, BuildFile
from execution.sandbox.docker.attachment import Attachment
from execution.sandbox.frames import pack
from execution.sandbox.job import OutputFile

_WORK, _BUILD = b"w", b"b"
_ENTRY = struct.Struct("=cBQ")
_FILE = struct.Struct("=iQ")
_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class _Entry:
    """What lies at a path: `kind` is f, d, l (link) or o (other)."""

    path: str
    kind: str
    executable: bool
    size: int


async def collect(relay: Attachment, patterns: Sequence[str]) -> tuple[OutputFile, ...]:
    """As `artifacts.collect`. Raises ControlLost."""
    listed = _Listed()
    for prefix, depth in {_reach(pattern) for pattern in patterns}:
        async for entry in _list(relay, _WORK, prefix, depth):
            listed.add(entry)
    files: list[OutputFile] = []
    room = artifacts.MOST_BYTES
    for path in matching(listed, patterns):
        await _ask(relay, _WORK, path, room)
        size, content = await _content(relay)
        if size is not None:
            files.append(OutputFile(shown(path), size, content))
            room -= len(content)
    return tuple(files)


async def read_build(relay: Attachment, compile_output: bytes) -> Build | None:
    """As `builds.read_build`. Raises ControlLost."""
    entries = [entry async for entry in _list(relay, _BUILD, "", builds.MOST_DEPTH + 1)]
    kept = [entry for entry in entries if entry.kind in "fl"]
    kept.sort(key=lambda entry: entry.kind == "l")
    if (
        len(entries) > builds.MOST_FILES
        or sum(entry.size for entry in kept) > builds.MOST_BYTES
        or any(entry.kind == "o" or entry.path.count("/") > builds.MOST_DEPTH for entry in entries)
        or any("\udc80" <= letter <= "\udcff" for entry in entries for letter in entry.path)
    ):
        return None
    for entry in kept:
        await _ask(relay, _BUILD, entry.path, entry.size)
    files = []
    for entry in kept:
        size, content = await _content(relay)
        if size != len(content):
            return None
        files.append(BuildFile(entry.path, _kind(entry), content))
    return Build(tuple(files), compile_output)


def _kind(entry: _Entry) -> Literal["file", "executable", "link"]:
    if entry.kind == "l":
        return "link"
    return "executable" if entry.executable else "file"


def _reach(pattern: str) -> tuple[str, int]:
    """The folder below which a pattern can match, and how deep."""
    segments = pattern.split("/")
    fixed = list(takewhile(lambda segment: not _WILD & set(segment), segments[:-1]))
    rest = segments[len(fixed) :]
    return "/".join(fixed), artifacts.MOST_DEPTH if "**" in rest else len(rest) - 1


async def _list(relay: Attachment, top: bytes, prefix: str, depth: int) -> AsyncIterator[_Entry]:
    if any(segment in ("", ".", "..") for segment in prefix.split("/")) and prefix:
        return
    await relay.send(pack("l", top, bytes([depth]), os.fsencode(prefix), b"\0"))
    while payload := (await relay.receive()).payload:
        while payload:
            kind, executable, size = _ENTRY.unpack_from(payload)
            path, _, payload = payload[_ENTRY.size :].partition(b"\0")
            yield _Entry(os.fsdecode(path), kind.decode(), bool(executable), size)


async def _ask(relay: Attachment, top: bytes, path: str, most: int) -> None:
    await relay.send(pack("f", top, struct.pack("=Q", most), os.fsencode(path), b"\0"))


async def _content(relay: Attachment) -> tuple[int | None, bytes]:
    """The size of the file that was asked for next (None where it cannot be read), and as much as was asked for."""
    error, size = _FILE.unpack((await relay.receive()).payload)
    parts = []
    while part := (await relay.receive()).payload:
        parts.append(part)
    return (None if error else size), b"".join(parts)


class _Listed:
    """A directory as it was listed, for the patterns of `artifacts`."""

    def __init__(self) -> None:
        self._entries: dict[str, bool] = {}
        self._below: dict[str, _Listed] = {}

    def add(self, entry: _Entry) -> None:
        *folders, name = entry.path.split("/")
        folder = self
        for step in folders:
            folder._entries[step] = True
            folder = folder._below.setdefault(step, _Listed())
        if entry.kind in "fd":
            folder._entries[name] = entry.kind == "d"

    def entries(self) -> Iterator[tuple[str, bool]]:
        yield from list(self._entries.items())

    @contextmanager
    def below(self, name: str) -> Iterator[Folder | None]:
        yield self._below.get(name)
