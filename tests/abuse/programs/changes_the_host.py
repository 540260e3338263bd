# Tries to set the clock, the names and the limits of the host, to restart it and to write its log.
import ctypes
import resource

libc = ctypes.CDLL(None, use_errno=True)
zero = (ctypes.c_long * 4)()
CALLS = {
    "settimeofday": (164, zero, 0), "clock_settime": (227, 0, zero), "reboot": (169, 0xFEE1DEAD, 672274793, 0, 0),
    "sethostname": (170, b"x", 1), "setdomainname": (171, b"x", 1), "syslog": (103, 4, 0, 0), "vhangup": (153,),
}  # fmt: skip
for name, arguments in CALLS.items():
    result = libc.syscall(*arguments)
    print(f"{name}:", "ALLOWED" if result >= 0 else f"refused {ctypes.get_errno()}")
for name, limit in {"core": resource.RLIMIT_CORE, "files": resource.RLIMIT_NOFILE}.items():
    try:
        resource.setrlimit(limit, (1 << 20, 1 << 20))
        print(f"raise {name}: ALLOWED")
    except (OSError, ValueError):
        print(f"raise {name}: refused")
print("done")
