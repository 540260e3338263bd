"""Reading the files that a program left in its work dir, without ever following a link or blocking on one.

The program has ended and nothing else writes there, but what it left is hostile: links to the host, FIFOs, sparse
files, names with newlines, ten thousand nested folders. Every step is an open relative to a directory descriptor that
refuses links; only regular files are read, and no more than the caps.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from fnmatch import fnmatchcase
from typing import Protocol

from execution.sandbox.job import MIB, OutputFile

MOST_FILES = 64
MOST_BYTES = 8 * MIB
MOST_ENTRIES = 10_000
MOST_DEPTH = 16

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a FIFO or device that took the file's place must not block the supervisor.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Folder(Protocol):
    """A directory as patterns see it."""

    def entries(self) -> Iterator[tuple[str, bool]]:
        """The names of its regular files (False) and directories (True); nothing else counts."""

    def below(self, name: str) -> AbstractContextManager["Folder | None"]:
        """A directory in it; None where it cannot be opened."""


def collect(work_dir: int, patterns: Sequence[str]) -> tuple[OutputFile, ...]:
    """The regular files below the directory descriptor that match a path or glob (`*`, `?`, `[…]` within one folder,
    `**` for any depth), sorted by path. At most MOST_FILES files with MOST_BYTES of content together; what is past
    that comes with its true size and less content. Hard links to a file count as files: they cannot lead outside."""
    files: list[OutputFile] = []
    room = MOST_BYTES
    for path in matching(_Directory(work_dir), patterns):
        file = _read(work_dir, path, room)
        if file is not None:
            files.append(file)
            room -= len(file.content)
    return tuple(files)


def matching(folder: Folder, patterns: Sequence[str]) -> list[str]:
    """The paths below `folder` that match, sorted, the first MOST_FILES of them."""
    walker = _Walker()
    return sorted({path for pattern in patterns for path in walker.matches(folder, pattern.split("/"))})[:MOST_FILES]


def shown(path: str) -> str:
    """A path for people: it goes into JSON, where bytes that are no UTF-8 become U+FFFD."""
    return os.fsencode(path).decode("utf-8", "replace")


class _Walker:
    """Expands patterns; counts every entry it looks at, over all patterns, so that clean-up stays quick."""

    def __init__(self) -> None:
        self._left = MOST_ENTRIES

    def matches(self, folder: Folder, segments: Sequence[str], prefix: str = "", depth: int = 0) -> Iterator[str]:
        if depth > MOST_DEPTH or not segments or segments[0] in ("", ".", ".."):
            return
        head, rest = segments[0], segments[1:]
        if head == "**":
            yield from self.matches(folder, rest or ["*"], prefix, depth + 1)
        for name, is_directory in folder.entries():
            self._left -= 1
            if self._left < 0:
                return
            if head == "**":
                follow = segments if is_directory else None
            elif fnmatchcase(name, head):
                if not rest and not is_directory:
                    yield prefix + name
                follow = rest if is_directory and rest else None
            else:
                follow = None
            if follow:
                with folder.below(name) as child:
                    if child is not None:
                        yield from self.matches(child, follow, f"{prefix}{name}/", depth + 1)


class _Directory:
    """A directory of this host's, by its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def entries(self) -> Iterator[tuple[str, bool]]:
        try:
            with os.scandir(self._descriptor) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        yield entry.name, True
                    elif entry.is_file(follow_symlinks=False):
                        yield entry.name, False
        except OSError:
            return

    @contextmanager
    def below(self, name: str) -> Iterator[Folder | None]:
        try:
            child = os.open(name, _DIRECTORY, dir_fd=self._descriptor)
        except OSError:
            yield None
            return
        try:
            yield _Directory(child)
        finally:
            os.close(child)


def _read(work_dir: int, path: str, room: int) -> OutputFile | None:
    *folders, name = path.split("/")
    opened: list[int] = []
    directory = work_dir
    try:
        for folder in folders:
            directory = os.open(folder, _DIRECTORY, dir_fd=directory)
            opened.append(directory)
        file = os.open(name, _FILE, dir_fd=directory)
        opened.append(file)
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            return None
        return OutputFile(shown(path), status.st_size, os.read(file, room) if room > 0 else b"")
    except OSError:
        return None
    finally:
        for descriptor in reversed(opened):
            os.close(descriptor)
