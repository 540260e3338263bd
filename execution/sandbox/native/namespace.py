"""The supervisor's own mount namespace: what it mounts is seen by its sandboxes alone and ends with it."""

import ctypes
import os
from pathlib import Path

from execution.sandbox.errors import SandboxUnavailable

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000


def enter_mount_namespace() -> None:
    """Leaves the host's mount namespace, for the whole process; called before any thread is started."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) < 0:
        raise SandboxUnavailable(f"No mount namespace ({_error()}). Start the supervisor as root.")
    _mount(libc, b"none", b"/", MS_REC | MS_PRIVATE)


def bind(source: Path, target: Path) -> None:
    """Shows `source` at `target` too: there, unprivileged users reach it whatever its parents' modes are."""
    target.mkdir(mode=0o755, parents=True, exist_ok=True)
    _mount(ctypes.CDLL(None, use_errno=True), bytes(source), bytes(target), MS_BIND | MS_REC)


def _mount(libc: ctypes.CDLL, source: bytes, target: bytes, flags: int) -> None:
    if libc.mount(source, target, None, ctypes.c_ulong(flags), None) < 0:
        raise SandboxUnavailable(f"{os.fsdecode(target)} could not be mounted: {_error()}.")


def _error() -> str:
    return os.strerror(ctypes.get_errno())
