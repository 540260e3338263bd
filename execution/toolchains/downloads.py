"""RUNCODE_HOME/toolchains/downloads: what an installation fetches and its recipes share.

    <name>.tar     a base system, made once for all recipes of its suite, with its package lists
    debs/          Debian packages
    npm/  pip/     those clients' own caches

Kept until an installation has ended well, so that one that was cut off or failed need not fetch everything again.
"""

import contextlib
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

APT_ARCHIVES = "var/cache/apt/archives"

# A mirror drops a package soon after its next version is there; older package lists name what is gone.
FRESH = 6 * 3600  # seconds


class Downloads:
    """Shared by the threads of one installer; only the holder of the store's lock has one that writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.debs = folder / "debs"
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def prepare(self) -> None:
        """Makes the folders, and forgets what is too old to be of use."""
        for directory in (self.folder, self.debs):
            directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        for path in self.folder.glob("*.tar*"):
            if path.suffix != ".tar" or time.time() - path.stat().st_mtime > FRESH:
                path.unlink()

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def once(self, name: str, make: Callable[[Path], None]) -> Path:
        """The file of that name. Whoever asks first makes it at the path that `make` is given; others wait."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            path = self.folder / name
            if not path.is_file():
                unfinished = path.with_name(f"{name}.part")
                make(unfinished)
                unfinished.rename(path)
        return path

    def keep_debs(self, root: Path) -> None:
        """Saves what apt had fetched for a root that is not going to be finished."""
        for path in (root / APT_ARCHIVES).glob("*.deb"):
            with contextlib.suppress(OSError):
                (self.debs / path.name).hardlink_to(path)
