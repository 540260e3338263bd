# Looks for secrets of the host and for other processes.
import glob
import os

for path in (
    "/proc/1/environ", "/proc/1/maps", "/proc/1/mem", "/proc/1/stack", "/proc/1/root/etc", "/proc/1/cwd/x",
    "/proc/kcore", "/proc/kmsg", "/dev/kmsg", "/dev/mem", "/etc/shadow", "/root/x", "/sys/kernel/security",
    "/sys/devices/system", "/sys/class/net", "/run/runcode", "/var/run/docker.sock", "/proc/sys/kernel/core_pattern.x",
):  # fmt: skip
    try:
        content = os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(16)
        print(f"{path}:", "ALLOWED" if content else "refused (empty)")
    except OSError as error:
        print(f"{path}: refused {error.errno}")
others = {pid for pid in os.listdir("/proc") if pid.isdigit()} - {"1", str(os.getpid())}
print("other processes:", "ALLOWED" if others else "refused (none)")
groups = glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True)
foreign = {pid for group in groups for pid in open(group).read().split()} - set(os.listdir("/proc"))
print("foreign processes in control groups:", f"ALLOWED {foreign}" if foreign else "refused (none)")
writable = [name for group in groups for name in glob.glob(os.path.dirname(group) + "/*") if os.access(name, os.W_OK)]
print("changing control groups:", f"ALLOWED {writable}" if writable else "refused")
keys = open("/proc/keys").read() if os.path.exists("/proc/keys") else ""
print("keys:", "ALLOWED" if keys else "refused (none)")
for path in ("/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/self/oom_score_adj"):  # fmt: skip
    try:
        os.write(os.open(path, os.O_WRONLY), b"-1000")
        print(f"{path}: ALLOWED")
    except OSError as error:
        print(f"{path}: refused {error.errno}")
print("done")
