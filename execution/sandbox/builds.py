"""Compiled programs, kept so that the same program with other input is not compiled again.

A build is what a compiler left in /build, read out of the sandbox before the program ran, and goes into the next
sandbox of the same program as it was. It is found by a digest over everything that it depends on, the customer's scope
among it: nobody's build is ever used for somebody else.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from execution.sandbox import wire
from execution.sandbox.job import MIB, Job
from execution.sandbox.toolchain import Toolchain

log = logging.getLogger(__name__)

# A larger build is not kept: its reading and writing would take longer than what they save.
MOST_BYTES = 48 * MIB
MOST_FILES = 2_000
MOST_DEPTH = 16
# What all kept builds of a host may take on disk; the least recently used go first.
MOST_KEPT_BYTES = 1024 * MIB
# How much may wait for the disk; what comes on top of it is not kept.
MOST_UNWRITTEN_BYTES = 128 * MIB

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a FIFO that took a file's place must not block the supervisor.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class BuildFile:
    """A file below /build, or a symbolic link whose target is its content: made again, never followed here."""

    path: str
    kind: Literal["file", "executable", "link"]
    content: bytes


@dataclass(frozen=True, slots=True)
class Build:
    """What a successful compilation left and printed."""

    files: tuple[BuildFile, ...]
    compile_output: bytes

    @property
    def size(self) -> int:
        return sum(len(file.content) for file in self.files)


class _NotKept(Exception):
    """The tree is too large, or has something else in it than folders, regular files and links."""


def read_build(directory: int, compile_output: bytes) -> Build | None:
    """The tree below the descriptor of a /build where nothing runs any more; None for one that is not to be kept.

    Hostile code may have run while it was made: no link is followed, and nothing but regular files is opened. Links
    come last, so that no file's folder can be one when the tree is made again."""
    try:
        files = sorted(_files(directory, "", MOST_DEPTH, _Room()), key=lambda file: file.kind == "link")
        return Build(tuple(files), compile_output)
    except (_NotKept, OSError, UnicodeError):
        return None


class _Room:
    def __init__(self) -> None:
        self._entries, self._bytes = MOST_FILES, MOST_BYTES

    def take(self, size: int) -> None:
        self._entries -= 1
        self._bytes -= size
        if self._entries < 0 or self._bytes < 0:
            raise _NotKept


def _files(directory: int, prefix: str, depth: int, room: _Room) -> Iterator[BuildFile]:
    with os.scandir(directory) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            entry.name.encode("utf-8")
            room.take(status.st_size)
            if stat.S_ISREG(status.st_mode):
                kind: Literal["file", "executable"] = "executable" if status.st_mode & 0o100 else "file"
                yield BuildFile(prefix + entry.name, kind, _content(entry.name, directory))
            elif stat.S_ISLNK(status.st_mode):
                yield BuildFile(prefix + entry.name, "link", os.fsencode(os.readlink(entry.name, dir_fd=directory)))
            elif stat.S_ISDIR(status.st_mode) and depth:
                child = os.open(entry.name, _DIRECTORY, dir_fd=directory)
                try:
                    yield from _files(child, f"{prefix}{entry.name}/", depth - 1, room)
                finally:
                    os.close(child)
            else:
                raise _NotKept


def _content(name: str, directory: int) -> bytes:
    with os.fdopen(os.open(name, _FILE, dir_fd=directory), "rb") as file:
        return file.read(MOST_BYTES + 1)


def build_key(job: Job, toolchain: Toolchain) -> str | None:
    """What a job's build is found by; None for a job that has none, or wants none to be kept."""
    command = toolchain.compile_command(entrypoint=job.entrypoint, files=job.files)
    if not job.cache or command is None:
        return None
    # The name of a root has the digest of its recipe, and a new root a new name.
    parts = [job.cache, toolchain.id, toolchain.root.name, command, sorted(toolchain.env.items())]
    digest = hashlib.sha256(json.dumps(parts).encode())
    for path, content in sorted(job.files.items()):
        if path in job.data_files:
            continue
        digest.update(f"\0{len(path)}\0{path}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
    return digest.hexdigest()


class BuildCache:
    """The kept builds of a host: a file each, below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._making: dict[str, asyncio.Future[Build | None]] = {}
        self._unwritten: OrderedDict[str, Build] = OrderedDict()
        self._writer: asyncio.Task[None] | None = None
        self._bytes: int | None = None

    async def get(self, key: str) -> Build | None:
        """A kept build. Where one is in the making, waits for it; None when nobody makes it."""
        if making := self._making.get(key):
            return await asyncio.shield(making)
        if build := self._unwritten.get(key):
            return build
        return self._read(self._folder / key)

    @contextlib.contextmanager
    def making(self, key: str) -> Iterator[Callable[[Build], None]]:
        """For the one who compiles: whoever asks for the same build meanwhile waits until it is given to the function
        that is yielded, or until the block is left without one, and then compiles too."""
        if key in self._making:
            yield lambda _build: None
            return
        future: asyncio.Future[Build | None] = asyncio.get_running_loop().create_future()
        self._making[key] = future

        def keep(build: Build) -> None:
            if not future.done():
                future.set_result(build)
                if sum(waiting.size for waiting in self._unwritten.values()) < MOST_UNWRITTEN_BYTES:
                    self._unwritten[key] = build
                del self._making[key]

        try:
            yield keep
        finally:
            if not future.done():
                future.set_result(None)
                del self._making[key]
            elif self._writer is None or self._writer.done():
                self._writer = asyncio.get_running_loop().create_task(self._write_all())

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer

    def _read(self, path: Path) -> Build | None:
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        try:
            (message,) = wire.Decoder().feed(data)
            files = zip(message.fields["files"], message.blobs[1:], strict=True)
            return Build(tuple(BuildFile(path, kind, content) for (path, kind), content in files), message.blobs[0])
        except (ValueError, KeyError):
            log.warning("a kept build cannot be read and is made anew: %s", path)
            return None

    async def _write_all(self) -> None:
        """Behind the answers: a run never waits for the disk."""
        while self._unwritten:
            key, build = next(iter(self._unwritten.items()))
            try:
                await asyncio.to_thread(self._write, key, build)
            except OSError as error:
                log.warning("a build could not be kept: %s", error)
            del self._unwritten[key]

    def _write(self, key: str, build: Build) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        header = {"files": [[file.path, file.kind] for file in build.files]}
        data = wire.encode("build", header, build.compile_output, *(file.content for file in build.files))
        self._make_room(len(data))
        unfinished = self._folder / f".{key}"
        unfinished.write_bytes(data)
        unfinished.rename(self._folder / key)

    def _make_room(self, size: int) -> None:
        """Looks at the whole folder only when it is first written to and when it is full."""
        if self._bytes is not None and self._bytes + size <= MOST_KEPT_BYTES:
            self._bytes += size
            return
        kept = sorted((entry.stat().st_mtime, entry.stat().st_size, entry) for entry in self._folder.iterdir())
        total = size + sum(file_size for _, file_size, _ in kept)
        if total > MOST_KEPT_BYTES:
            for _, file_size, path in kept:
                if total <= MOST_KEPT_BYTES * 3 // 4:
                    break
                path.unlink()
                total -= file_size
        self._bytes = total
