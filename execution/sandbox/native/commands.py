"""The command that makes a sandbox: built purely here, executed elsewhere."""

from collections.abc import Sequence
from pathlib import Path

from execution.sandbox.job import MIB, Limits

# The descriptors that the launched process starts with, beside /dev/null on 0 and 1 and a log on 2.
CONTROL_FD, FILTER_FD, INIT_FD = 3, 4, 5

# Inside, every program is this user; outside, each sandbox has a host user of its own (see `sandbox`).
INNER_ID = "1000"
OPEN_FILES = 1024
TMP_BYTES = 64 * MIB
BUILD_BYTES = 256 * MIB


def launch_command(*, launch: Path, root: Path, uid: int, procs_files: Sequence[str], limits: Limits) -> list[str]:
    """argv of `launch` and, after it, of bubblewrap: all namespaces, a read-only root, size-capped tmpfs, no capability."""
    work = str(limits.work_bytes)
    return [
        *(str(launch), str(uid), str(OPEN_FILES), str(max(limits.work_bytes, BUILD_BYTES)), *procs_files, "--"),
        "/usr/bin/bwrap",
        *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup", "--disable-userns"),
        *("--uid", INNER_ID, "--gid", INNER_ID, "--hostname", "sandbox"),
        *("--die-with-parent", "--as-pid-1", "--clearenv", "--seccomp", str(FILTER_FD)),
        *("--ro-bind", str(root), "/"),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", str(TMP_BYTES), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"),
        *("--size", str(TMP_BYTES), "--tmpfs", "/tmp"),
        *("--size", str(TMP_BYTES), "--tmpfs", "/var/tmp"),
        *("--size", str(BUILD_BYTES), "--tmpfs", "/build"),
        *("--size", work, "--tmpfs", "/work"),
        *("--chdir", "/work", "--", f"/proc/self/fd/{INIT_FD}"),
    ]


def environment(toolchain_env: dict[str, str], job_env: dict[str, str]) -> dict[str, str]:
    """The program's whole environment: nothing of the host's; the job's variables last, taken literally."""
    return {"HOME": "/work", "TMPDIR": "/tmp", "USER": "runner", "LANG": "C.UTF-8", **toolchain_env, **job_env}
