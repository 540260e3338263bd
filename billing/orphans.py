"""Journals whose process is gone: found by their free locks, replayed by whoever comes first.

Replaying the same journal twice does no harm: the ledger knows each run's id.
"""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from billing.charges import Charge
from billing.journal import LOCK, try_lock
from billing.journal_lines import DamagedLine, HoldLine, decode, whole_lines

_log = structlog.get_logger("runcode.billing")

DAMAGED = "damaged"
_MAKING_SECONDS = 60
"""How old a folder without a lock must be to be one whose maker died, and not one just being made."""


@dataclass(slots=True)
class Orphan:
    """A dead process' journal, claimed by this one: call `remove` when all of it is recorded, else `leave`."""

    folder: Path
    lock: int
    holds: list[HoldLine]
    charges: list[Charge]

    def remove(self) -> None:
        # The lock goes last, so that nobody else can claim a half-removed folder and fail.
        for path in segments(self.folder):
            path.unlink()
        (self.folder / LOCK).unlink()
        self.folder.rmdir()
        self.leave()

    def leave(self) -> None:
        """Lets another process (or a later attempt) claim it."""
        os.close(self.lock)


def claim_orphans(parent: Path) -> Iterator[Orphan]:
    """Claims and reads what dead processes left in `parent`, one after the other. Blocks for the reading."""
    for folder in _folders(parent):
        lock = try_lock(folder)
        if lock is None:
            _clear_unfinished(folder)
            continue
        orphan = Orphan(folder, lock, [], [])
        for path in segments(folder):
            _read(path, orphan, parent / DAMAGED)
        yield orphan


def pending_charges(parent: Path) -> Iterator[Charge]:
    """What stands in all journals, of living processes too, and may be in the ledger already. Blocks."""
    for folder in _folders(parent):
        for path in segments(folder):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            for line in whole_lines(content):
                try:
                    decoded = decode(line)
                except DamagedLine:
                    # Reported when the journal is replayed.
                    continue
                if isinstance(decoded, Charge):
                    yield decoded


def segments(folder: Path) -> list[Path]:
    """The segments of one journal, in the order of their writing."""
    return sorted(folder.glob("*.jsonl"), key=lambda path: (len(path.name), path.name))


def _folders(parent: Path) -> list[Path]:
    try:
        return [entry for entry in parent.iterdir() if entry.is_dir() and entry.name != DAMAGED]
    except FileNotFoundError:
        return []


def _read(path: Path, orphan: Orphan, damaged: Path) -> None:
    content = path.read_bytes()
    intact = True
    for line in whole_lines(content):
        try:
            decoded = decode(line)
        except DamagedLine:
            intact = False
            continue
        if isinstance(decoded, Charge):
            orphan.charges.append(decoded)
        else:
            orphan.holds.append(decoded)
    if not intact:
        damaged.mkdir(mode=0o700, exist_ok=True)
        copy = damaged / f"{orphan.folder.name}-{path.name}"
        shutil.copyfile(path, copy)
        _log.error("a journal has lines that cannot be read; a copy is kept", path=str(copy))


def _clear_unfinished(folder: Path) -> None:
    """Removes an empty folder whose maker died before it could lock it."""
    try:
        if time.time() - folder.stat().st_mtime > _MAKING_SECONDS:
            folder.rmdir()
    except OSError:
        # Gone already, or, as most are, the journal of a living process.
        return
