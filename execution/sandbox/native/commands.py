"""The command that makes a sandbox: built purely here, executed elsewhere."""

from pathlib import Path

from execution.sandbox.job import MIB

# Descriptors by number: the launcher's socket to the supervisor; in a launched process the control socket (the same
# number), the filter and init, beside /dev/null on 0 and 1 and a log on 2 (launcher.c).
LAUNCHER_FD, FILTER_FD, INIT_FD = 3, 4, 5

# Inside, every program is this user; outside, each sandbox has a host user of its own (see `sandbox`).
INNER_ID = "1000"
OPEN_FILES = 1024
TMP_BYTES = 64 * MIB
BUILD_BYTES = 256 * MIB


def sandbox_command(*, root: Path, devices: Path, work_bytes: int) -> list[str]:
    """argv of bubblewrap: every namespace but the network's (the launcher's part), a read-only root, size-capped
    tmpfs, no capability, the system-call filter; then init, executed by its descriptor."""
    return [
        "/usr/bin/bwrap",
        *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup", "--disable-userns"),
        *("--uid", INNER_ID, "--gid", INNER_ID, "--hostname", "sandbox"),
        *("--die-with-parent", "--as-pid-1", "--clearenv", "--seccomp", str(FILTER_FD)),
        *("--ro-bind", str(root), "/"),
        *("--proc", "/proc", "--dev-bind", str(devices), "/dev"),
        *("--size", str(TMP_BYTES), "--tmpfs", "/dev/shm"),
        *("--size", str(TMP_BYTES), "--tmpfs", "/tmp"),
        *("--size", str(TMP_BYTES), "--tmpfs", "/var/tmp"),
        *("--size", str(BUILD_BYTES), "--tmpfs", "/build"),
        *("--size", str(work_bytes), "--tmpfs", "/work"),
        *("--chdir", "/work", "--", f"/proc/self/fd/{INIT_FD}"),
    ]
