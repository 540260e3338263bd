"""Names of files inside the work dir: what a client may call them.

A path is relative, of segments joined by `/`, and means the same to people as to the kernel: no segment that
climbs or vanishes, nothing that reads as an option, nothing that looks like a separator without being one.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

# NAME_MAX of every Linux file system; the path and its depth are ours, far below PATH_MAX (4,096).
SEGMENT_BYTES: Final = 255
PATH_BYTES: Final = 1024
DEPTH: Final = 16

# Characters drawn like a slash or backslash which compatibility normalisation does not turn into one.
_LOOK_ALIKES: Final = frozenset("⁄∕⧸⧶╱⟋⼃〳╲⧵⧹∖⟍﹨⧷")  # noqa: RUF001

# Control, format (invisible, text direction), surrogate, unassigned, and line and paragraph separators.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})


def path_error(path: str) -> str | None:
    """What is wrong with `path` as a file's name in the work dir, as a sentence; None when it is fine."""
    if not path:
        return "A path must not be empty."
    if any(unicodedata.category(character) in _UNSEEN for character in path):
        return "A path must not hold control or invisible characters."
    if len(path.encode()) > PATH_BYTES:
        return f"A path may have at most {PATH_BYTES} bytes."
    if path.startswith("/"):
        return "A path must be relative to the work dir."
    # Full-width and other compatibility forms become the plain characters that they are drawn like.
    plain = unicodedata.normalize("NFKC", path)
    if "\\" in plain or plain.count("/") != path.count("/") or not _LOOK_ALIKES.isdisjoint(path):
        return "A path must not hold a backslash, or a character that looks like a slash."
    segments = plain.split("/")
    if len(segments) > DEPTH:
        return f"A path may be at most {DEPTH} folders deep."
    for segment in segments:
        if segment in ("", ".", ".."):
            return "A path must not have empty, “.” or “..” segments."
        if segment.startswith("-"):
            return "No part of a path may begin with “-”."
    if any(len(segment.encode()) > SEGMENT_BYTES for segment in path.split("/")):
        return f"No part of a path may have more than {SEGMENT_BYTES} bytes."
    return None


def clash(paths: Iterable[str]) -> str | None:
    """The first of `paths` that would have to be a file and a folder at once; None when all can stand together."""
    files = set(paths)
    for path in files:
        parent = path
        while "/" in parent:
            parent = parent.rpartition("/")[0]
            if parent in files:
                return parent
    return None
