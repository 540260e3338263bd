# Looks everywhere for what another program may have left, and then does a sum.
import ctypes
import fcntl
import os
import socket
import time

libc = ctypes.CDLL(None, use_errno=True)


def look(name, found):
    if found:
        print(f"{name}: ALLOWED {found}")


for folder, own in (("/work", ["main.py"]), ("/tmp", []), ("/var/tmp", []), ("/dev/shm", []), ("/build", [])):
    look(folder, sorted(set(os.listdir(folder)) - set(own)))
look("processes", sorted({pid for pid in os.listdir("/proc") if pid.isdigit()} - {"1", str(os.getpid())}))
for kind in ("shm", "msg", "sem"):
    look(f"System V {kind}", open(f"/proc/sysvipc/{kind}").read().splitlines()[1:])
look("message queue", libc.mq_open(b"/left", os.O_RDWR) >= 0)
look("Unix sockets", open("/proc/net/unix").read().splitlines()[1:])
for table in ("tcp", "tcp6", "udp", "udp6", "raw"):
    if os.path.exists(f"/proc/net/{table}"):
        look(table, open(f"/proc/net/{table}").read().splitlines()[1:])
counters = open("/proc/net/snmp").read().splitlines()
for names, values in zip(counters[::2], counters[1::2], strict=True):
    counted = dict(zip(names.split()[1:], values.split()[1:], strict=True))
    for constant in ("Forwarding", "DefaultTTL", "RtoAlgorithm", "RtoMin", "RtoMax", "MaxConn"):
        counted.pop(constant, None)
    look(f"network counters {names.split()[0]}", {name: value for name, value in counted.items() if value != "0"})
look("keys", os.path.exists("/proc/keys") and open("/proc/keys").read())
with socket.socket(socket.AF_UNIX) as abstract:
    look("abstract socket", abstract.connect_ex("\0left") == 0)
for path in ("/dev/null", "/usr/bin/python3.14", "/usr"):
    file = os.open(path, os.O_RDONLY)
    for attempt in range(100):  # one that runs at this moment may hold it; what has ended may not
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            break
        except OSError:
            time.sleep(0.05)
    else:
        look(f"lock on {path}", True)
fresh = bytearray(32 << 20)
look("memory", fresh.count(0) != len(fresh) or b"a secret" in fresh)
print(6 * 7)
