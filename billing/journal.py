"""The journal of one process: what must not be lost between an answer and the database.

    RUNCODE_HOME/journal/<process>/lock       flocked while the process lives
    RUNCODE_HOME/journal/<process>/<n>.jsonl  its segments, appended to by one write per line

A line survives the death of the process as soon as it is written: it is in the kernel's page cache. It is not synced
to the disk, so a power cut can lose the last moments before the flush (the customer then pays less, never more); a
sync on each run would cost more than many a run takes.

A segment that nothing needs any more is emptied; one that has grown past SEGMENT_BYTES is followed by a new one and
removed once nothing needs it. Not thread-safe: it belongs to the event loop's thread.
"""

import errno
import fcntl
import os
import secrets
from pathlib import Path

from billing.journal_lines import Line, encode

SEGMENT_BYTES = 4 * 1024 * 1024
LOCK = "lock"


class Segment:
    """One file of the journal; `needed` is how many of its lines still are."""

    __slots__ = ("descriptor", "needed", "path", "size")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self.size = 0
        self.needed = 0

    def append(self, content: bytes) -> None:
        """Writes all or nothing. Raises OSError, for a full disk for example."""
        written = os.write(self.descriptor, content)
        if written < len(content):
            os.ftruncate(self.descriptor, self.size)
            raise OSError(errno.ENOSPC, "The journal could not be written.")
        self.size += written
        self.needed += 1

    def empty(self) -> None:
        if self.size:
            os.ftruncate(self.descriptor, 0)
            self.size = 0

    def remove(self) -> None:
        os.close(self.descriptor)
        self.path.unlink()


class Journal:
    """See the module. Raises OSError where the disk does."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._segment_bytes = segment_bytes
        self.folder, self._lock = _claim_new(folder)
        self._number = 0
        self._segments: list[Segment] = []
        self._closed = False

    def append(self, line: Line) -> Segment:
        """Writes one line; call `done` with what is returned when it is not needed any more."""
        if self._closed:
            raise OSError(errno.EBADF, "The journal is closed: this process is stopping.")
        if not self._segments or self._segments[-1].size >= self._segment_bytes:
            self._number += 1
            self._segments.append(Segment(self.folder / f"{self._number}.jsonl"))
        segment = self._segments[-1]
        segment.append(encode(line))
        return segment

    def done(self, segment: Segment) -> None:
        segment.needed -= 1
        if segment.needed or self._closed:
            return
        if segment is self._segments[-1]:
            segment.empty()
        else:
            self._segments.remove(segment)
            segment.remove()

    def close(self) -> None:
        """Leaves nothing behind when nothing is needed any more; else what is left is an orphan's (billing.orphans)."""
        self._closed = True
        clean = not any(segment.needed for segment in self._segments)
        for segment in self._segments:
            segment.remove() if clean else os.close(segment.descriptor)
        self._segments = []
        if clean:
            (self.folder / LOCK).unlink()
            self.folder.rmdir()
        os.close(self._lock)


def _claim_new(parent: Path) -> tuple[Path, int]:
    """A new folder and its locked lock."""
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        folder = parent / f"{os.getpid()}-{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        lock = try_lock(folder, create=True)
        if lock is not None:
            return folder, lock
        # Somebody took the new folder, not locked yet, for an orphan.


def try_lock(folder: Path, *, create: bool = False) -> int | None:
    """The descriptor of this folder's lock, held until it is closed; None when another process has it, or just had."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Locked, but it may be a file that its last holder has removed meanwhile.
        if os.path.samestat(os.fstat(descriptor), (folder / LOCK).stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
