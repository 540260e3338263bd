"""Without Redis the limits live in one process, so only one may serve: a lock in RUNCODE_HOME refuses the second."""

import fcntl
import os
from pathlib import Path

LOCK = "process.lock"


class AnotherProcess(RuntimeError):
    """This process may not serve beside the one that does. The text says what to do."""


def claim(folder: Path, *, shared: bool) -> int:
    """Takes the lock in `folder`; returns its descriptor, which holds it until it is closed or the process ends.

    `shared` says that the limits are shared over Redis: such processes may be many, but not beside one that has its
    limits for itself. Raises AnotherProcess.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AnotherProcess(_SHARED_REFUSED if shared else _SOLE_REFUSED) from None
    return descriptor


_SOLE_REFUSED = (
    "Another process already runs programs from this RUNCODE_HOME. Without Redis each process would keep limits of its "
    "own, and quotas could be overrun. Stop the other process, or start a Redis server and set REDIS_URL for both."
)
_SHARED_REFUSED = (
    "Another process already runs programs from this RUNCODE_HOME without Redis, so its limits cannot be shared. "
    "Stop it, or set the same REDIS_URL for it."
)
