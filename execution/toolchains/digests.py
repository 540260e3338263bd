"""The content of a root as a list of digests: taken when it is installed, compared by `toolchains verify`.

One JSON array a line, sorted by path: `["dir", path]`, `["link", path, target]` or `["file", path, mode, size,
sha256]`. Toolchain files are shared by all tenants, so a check reads each file twice: through the page cache, as
programs see it, and around it (O_DIRECT), as the disk holds it. They differ when something wrote into the cache alone.
"""

import hashlib
import json
import mmap
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CHUNK = 1 << 20  # bytes; O_DIRECT wants whole blocks, a mapping is aligned to pages


def _cached(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def on_disk(path: Path) -> str | None:
    """The SHA-256 of a file read around the page cache; None where the file system offers no O_DIRECT (tmpfs)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT | os.O_NOFOLLOW)
    except OSError:
        return None
    digest = hashlib.sha256()
    with mmap.mmap(-1, CHUNK) as buffer, memoryview(buffer) as view:
        try:
            offset = 0
            while count := os.preadv(descriptor, [view], offset):
                digest.update(view[:count])
                offset += count
                if count % mmap.PAGESIZE:
                    break  # the end of the file; reading on from an uneven offset would be refused
        except OSError:
            return None
        finally:
            os.close(descriptor)
    return digest.hexdigest()


def _paths(root: Path) -> list[str]:
    found = []
    for directory, names, files in os.walk(root):
        found += [os.path.relpath(os.path.join(directory, name), root) for name in (*names, *files)]  # noqa: PTH118
    return sorted(found)


def _entry(root: Path, path: str) -> list[object]:
    full = root / path
    status = full.lstat()
    if stat.S_ISLNK(status.st_mode):
        return ["link", path, str(full.readlink())]
    if stat.S_ISDIR(status.st_mode):
        return ["dir", path]
    if stat.S_ISREG(status.st_mode):
        return ["file", path, f"{stat.S_IMODE(status.st_mode):04o}", status.st_size, _cached(full)]
    return ["other", path]


def take(root: Path) -> str:
    """The list for everything below `root`, as text."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing and reading let other threads run
        entries = pool.map(lambda path: _entry(root, path), _paths(root))
        return "".join(json.dumps(entry, ensure_ascii=True) + "\n" for entry in entries)


def name_of(listing: str) -> str:
    """The digest of a listing: equal for equal roots."""
    return hashlib.sha256(listing.encode()).hexdigest()


def differences(root: Path, listing: str, seen: Callable[[float], None] = lambda fraction: None) -> Iterator[str]:
    """What is not as it was when `listing` was taken, one sentence each. `seen` hears the fraction checked."""
    expected = {entry[1]: entry for entry in map(json.loads, listing.splitlines())}
    paths = _paths(root)
    for gone in sorted(expected.keys() - set(paths)):
        yield f"{gone} is missing"

    def check(path: str) -> str | None:
        if path not in expected:
            return f"{path} was not there when it was installed"
        entry = _entry(root, path)
        if entry != expected[path]:
            return f"{path} has changed ({_what(expected[path], entry)})"
        if entry[0] == "file" and on_disk(root / path) not in (entry[4], None):
            return f"{path} is right in memory and wrong on the disk"
        return None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for index, sentence in enumerate(pool.map(check, paths)):
            seen((index + 1) / len(paths))
            if sentence:
                yield sentence


def _what(before: list[object], after: list[object]) -> str:
    if before[0] != after[0]:
        return f"a {before[0]} became a {after[0]}"
    if before[0] == "link":
        return f"it points to {after[2]}, not to {before[2]}"
    names = {2: "mode", 3: "size", 4: "content"}
    return ", ".join(name for index, name in names.items() if before[index] != after[index])
