"""What is looked at on a host, and how a command that mends it is told."""

from __future__ import annotations

import os
from typing import NamedTuple


class Finding(NamedTuple):
    """One thing looked at. `remedy` is None when it is as it should be; `packages` are Debian's that mend it."""

    subject: str
    detail: str
    remedy: str | None = None
    packages: tuple[str, ...] = ()


def is_root() -> bool:
    return os.geteuid() == 0


def as_root(command: str) -> str:
    """A command line for people, with sudo in front where it is needed."""
    return command if is_root() else "sudo " + command
