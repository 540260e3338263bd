"""One log line per request, without anything secret in it."""

import time
from typing import Final

import structlog

_log = structlog.get_logger("runcode.access")

# Longer path segments are masked: every secret that stands in a path (account secret, reset and
# confirmation keys) is longer, hardly any name is.
LONGEST_PLAIN_SEGMENT: Final = 20

CLIENT_GONE: Final = 499
"""The status that is logged for a client that went away before its answer (nginx' number for it)."""


def masked(path: str) -> str:
    """The path without its long segments: `/cus/Zk3…x/` becomes `/cus/…/`."""
    if len(path) <= LONGEST_PLAIN_SEGMENT:
        return path
    return "/".join(part if len(part) <= LONGEST_PLAIN_SEGMENT else "…" for part in path.split("/"))


def write(*, method: str, path: str, status: int, started: float) -> None:
    """Log one request; `started` is a `time.perf_counter()`. No query, header or body is ever logged."""
    _log.info(
        "request",
        method=method,
        path=masked(path),
        status=status,
        ms=round((time.perf_counter() - started) * 1000, 2),
    )
