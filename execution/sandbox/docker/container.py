"""What the Engine is asked to make: built purely here, carried out elsewhere."""

from typing import Any

from execution.sandbox.job import MIB, Limits

RELAY = "/.runcode-relay"
# By these labels a container of ours is known: whose it is, so that leftovers are swept by their own supervisor only.
LABEL = "runcode.instance"

INNER_USER = 1000
OPEN_FILES = 1024
TMP_BYTES = 64 * MIB
BUILD_BYTES = 256 * MIB
# What a program's own limit does not count: the two threads of the relay.
OWN_TASKS = 2
MOST_PROCESSORS = 8
CPU_PERIOD = 100_000
# Against 1024 of an ordinary process or container: programs leave the rest of the host the better part of it.
CPU_SHARES = 512

# The Engine's own list (moby, oci/defaults.go) and what the native driver has no counterpart of: a sandbox knows
# nothing of the host's hardware and kernel. /sys/fs/cgroup stays, where the relay reads what the container uses.
MASKED_PATHS = [
    *(f"/proc/{name}" for name in "asound acpi interrupts kcore keys latency_stats timer_list timer_stats".split()),
    *(f"/proc/{name}" for name in ("sched_debug", "scsi")),
    *(f"/sys/{name}" for name in "block bus class dev devices firmware hypervisor kernel module power".split()),
]


def limits_update(limits: Limits) -> dict[str, int]:
    """The limits of a job, as the Engine's calls to create and to update a container take them."""
    return {
        "Memory": limits.memory_bytes,
        # Memory and swap together: no swap.
        "MemorySwap": limits.memory_bytes,
        "CpuPeriod": CPU_PERIOD,
        "CpuQuota": int(limits.cpu_cores * CPU_PERIOD),
        "PidsLimit": limits.processes + OWN_TASKS,
    }


def processors(number: int, available: int) -> str:
    """Some of the Engine's processors for its container of that number, so that they spread. Runtimes start a thread
    for each processor that they see: on a large host they would meet the limit of processes before the program begins.
    """
    if available <= MOST_PROCESSORS:
        return ""
    first = number * MOST_PROCESSORS % available
    return ",".join(str((first + step) % available) for step in range(MOST_PROCESSORS))


def container_config(
    *, image: str, instance: str, work_bytes: int, seccomp: str, cpus: str, runtime: str | None = None
) -> dict[str, Any]:
    """The body of POST /containers/create. `cpus`: the processors that it may run on, all where it is empty."""
    host = {
        **limits_update(Limits()),
        "CpuShares": CPU_SHARES,
        "CpusetCpus": cpus,
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true", f"seccomp={seccomp}"],
        "MaskedPaths": MASKED_PATHS,
        "NetworkMode": "none",
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "LogConfig": {"Type": "none"},
        "Tmpfs": {
            path: f"rw,nosuid,nodev,exec,size={size},mode=0755,uid={INNER_USER},gid={INNER_USER}"
            for path, size in {
                "/work": work_bytes,
                "/build": BUILD_BYTES,
                "/tmp": TMP_BYTES,
                "/var/tmp": TMP_BYTES,
                "/dev/shm": TMP_BYTES,
            }.items()
        },
        "Ulimits": [
            _ulimit("nofile", OPEN_FILES),
            # 1, not 0: the kernel then leaves also a core dump program of the host alone (core(5)).
            _ulimit("core", 1),
            _ulimit("fsize", max(work_bytes, BUILD_BYTES)),
            _ulimit("memlock", 65536),
            _ulimit("msgqueue", 819200),
            _ulimit("nice", 0),
            _ulimit("rtprio", 0),
        ],
        # What ends removes itself, also when nobody is left to ask for it.
        "AutoRemove": True,
    }
    if runtime is not None:
        host["Runtime"] = runtime
    return {
        "Image": image,
        "Entrypoint": [RELAY],
        "Cmd": [],
        "Env": [],
        "User": f"{INNER_USER}:{INNER_USER}",
        "WorkingDir": "/work",
        "Hostname": "sandbox",
        "Labels": {LABEL: instance},
        "Healthcheck": {"Test": ["NONE"]},
        "NetworkDisabled": True,
        "Tty": False,
        "OpenStdin": True,
        # The relay's orders end with the supervisor's connection, and the container with them.
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "HostConfig": host,
    }


def _ulimit(name: str, value: int) -> dict[str, Any]:
    return {"Name": name, "Soft": value, "Hard": value}
