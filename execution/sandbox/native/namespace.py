"""The supervisor's own mount namespace: what it mounts is seen by its sandboxes alone and ends with it."""

import ctypes
import os
import stat
from pathlib import Path

from execution.sandbox.errors import SandboxUnavailable

CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_NOSUID, MS_NOEXEC, MS_REMOUNT = 0x1, 0x2, 0x8, 0x20
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000

# What a program finds in /dev: name → minor number; all are memory devices (major 1). There is no terminal.
MEMORY_DEVICES = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}
STREAMS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}


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


def make_devices(folder: Path) -> None:
    """A read-only /dev for all sandboxes: binding one folder costs a fraction of making it anew for each."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    _mount(libc, b"tmpfs", bytes(folder), MS_NOSUID | MS_NOEXEC, kind=b"tmpfs", options=b"mode=755,size=64k")
    previous = os.umask(0)
    try:
        for name, minor in MEMORY_DEVICES.items():
            os.mknod(folder / name, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
    except PermissionError as error:
        raise SandboxUnavailable(f"Device nodes cannot be made here ({error}). Start the supervisor as root.") from None
    finally:
        os.umask(previous)
    for name, target in STREAMS.items():
        (folder / name).symlink_to(target)
    (folder / "shm").mkdir()
    _mount(libc, b"none", bytes(folder), MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC)


def _mount(
    libc: ctypes.CDLL, source: bytes, target: bytes, flags: int, *, kind: bytes | None = None, options: bytes = b""
) -> None:
    if libc.mount(source, target, kind, ctypes.c_ulong(flags), options) < 0:
        raise SandboxUnavailable(f"{os.fsdecode(target)} could not be mounted: {_error()}.")


def _error() -> str:
    return os.strerror(ctypes.get_errno())
