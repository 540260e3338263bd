"""Roots that hold the same files hold them once: equal files become hard links to one another, so that several
toolchains on the same base cost its disk space, and its place in the page cache, once."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

# Below this a link saves less than its own bookkeeping; most files of a root are smaller, most bytes are not.
SMALLEST = 16 * 1024


def share(tree: Path, listing: str, others: Iterable[tuple[Path, str]]) -> int:
    """Replaces files of `tree` by links to equal ones of the `others` (roots with their digest listings).

    Equal are content, mode, owner and time: Python compares the time of a module with the one in its compiled form.
    Returns the bytes saved. Where the file system refuses links, files stay as they are.
    """
    known: dict[tuple[str, str], Path] = {}
    for root, other in others:
        for entry in map(json.loads, other.splitlines()):
            if entry[0] == "file" and entry[3] >= SMALLEST:
                known.setdefault((entry[2], entry[4]), root / entry[1])
    saved = 0
    for entry in map(json.loads, listing.splitlines()):
        if entry[0] == "file" and entry[3] >= SMALLEST and (same := known.get((entry[2], entry[4]))):
            saved += entry[3] if _link(same, tree / entry[1]) else 0
    return saved


def _link(same: Path, path: Path) -> bool:
    try:
        theirs, ours = same.stat(), path.stat()
        if theirs.st_ino == ours.st_ino:
            return False
        if (int(theirs.st_mtime), theirs.st_uid) != (int(ours.st_mtime), ours.st_uid):
            return False
        # The tree is sealed: its owner, unless root, has to open the directory for a moment.
        mode = path.parent.stat().st_mode
        path.parent.chmod(0o755)
        temporary = path.with_name(f".{path.name}.shared")
        try:
            temporary.hardlink_to(same)
            os.replace(temporary, path)  # noqa: PTH105 - as everywhere that a name changes over
        finally:
            path.parent.chmod(mode & 0o7777)
    except OSError:
        return False
    return True
