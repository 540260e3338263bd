"""Reading the files that a program left in its work dir, without ever following a link or blocking on one.

The program has ended and nothing else writes there, but what it left is hostile: links to the host, FIFOs, sparse
files, names with newlines, ten thousand nested folders. Every step is an open relative to a directory descriptor that
refuses links; only regular files are read, and no more than the caps.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from execution.sandbox.job import MIB, OutputFile

MOST_FILES = 64
MOST_BYTES = 8 * MIB
MOST_ENTRIES = 10_000
MOST_DEPTH = 16

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a FIFO or device that took the file's place must not block the supervisor.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def collect(work_dir: int, patterns: Sequence[str]) -> tuple[OutputFile, ...]:
    """The regular files below the directory descriptor that match a path or glob (`*`, `?`, `[…]` within one folder,
    `**` for any depth), sorted by path. At most MOST_FILES files with MOST_BYTES of content together; what is past
    that comes with its true size and less content. Hard links to a file count as files: they cannot lead outside."""
    walker = _Walker()
    paths = sorted({path for pattern in patterns for path in walker.matches(work_dir, pattern.split("/"))})
    files: list[OutputFile] = []
    room = MOST_BYTES
    for path in paths[:MOST_FILES]:
        file = _read(work_dir, path, room)
        if file is not None:
            files.append(file)
            room -= len(file.content)
    return tuple(files)


class _Walker:
    """Expands patterns; counts every entry it looks at, over all patterns, so that clean-up stays quick."""

    def __init__(self) -> None:
        self._left = MOST_ENTRIES

    def matches(self, directory: int, segments: Sequence[str], prefix: str = "", depth: int = 0) -> Iterator[str]:
        if depth > MOST_DEPTH or not segments or segments[0] in ("", ".", ".."):
            return
        head, rest = segments[0], segments[1:]
        if head == "**":
            yield from self.matches(directory, rest or ["*"], prefix, depth + 1)
        for name, is_directory in self._entries(directory):
            if head == "**":
                follow = segments if is_directory else None
            elif fnmatchcase(name, head):
                if not rest and not is_directory:
                    yield prefix + name
                follow = rest if is_directory and rest else None
            else:
                follow = None
            if follow:
                yield from self._below(directory, name, follow, prefix, depth)

    def _below(self, directory: int, name: str, segments: Sequence[str], prefix: str, depth: int) -> Iterator[str]:
        try:
            child = os.open(name, _DIRECTORY, dir_fd=directory)
        except OSError:
            return
        try:
            yield from self.matches(child, segments, f"{prefix}{name}/", depth + 1)
        finally:
            os.close(child)

    def _entries(self, directory: int) -> Iterator[tuple[str, bool]]:
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    self._left -= 1
                    if self._left < 0:
                        return
                    if entry.is_dir(follow_symlinks=False):
                        yield entry.name, True
                    elif entry.is_file(follow_symlinks=False):
                        yield entry.name, False
        except OSError:
            return


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
        # The name goes into JSON: bytes that are no UTF-8 become U+FFFD there.
        shown = os.fsencode(path).decode("utf-8", "replace")
        return OutputFile(shown, status.st_size, os.read(file, room) if room > 0 else b"")
    except OSError:
        return None
    finally:
        for descriptor in reversed(opened):
            os.close(descriptor)
