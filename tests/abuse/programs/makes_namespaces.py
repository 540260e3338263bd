# Tries to make or enter namespaces, to mount, and to change its root.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attempt(name, *arguments):
    result = libc.syscall(*arguments)
    if result == 0 and name.startswith("clone"):
        os._exit(0)
    print(f"{name}:", "ALLOWED" if result >= 0 else f"refused {ctypes.get_errno()}", flush=True)


FLAGS = {"time": 0x80, "mnt": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000}
FLAGS |= {"pid": 0x20000000, "net": 0x40000000}
CLONE, UNSHARE, SETNS, MOUNT, UMOUNT2, PIVOT_ROOT, CHROOT, CLONE3 = 56, 272, 308, 165, 166, 155, 161, 435
OPEN_TREE, MOVE_MOUNT, FSOPEN, FSMOUNT, MOUNT_SETATTR = 428, 429, 430, 432, 442
own = os.open("/proc/self/ns/user", os.O_RDONLY)
for name, flag in FLAGS.items():
    attempt(f"unshare {name}", UNSHARE, flag)
    attempt(f"clone {name}", CLONE, flag | 17, 0, 0, 0, 0)
    attempt(f"setns {name}", SETNS, own, flag)
attempt("mount", MOUNT, b"none", b"/tmp", b"tmpfs", 0, 0)
attempt("bind", MOUNT, b"/etc", b"/tmp", 0, 4096, 0)
attempt("remount", MOUNT, b"none", b"/", 0, 4096 | 32, 0)
attempt("umount", UMOUNT2, b"/work", 2)
attempt("pivot_root", PIVOT_ROOT, b"/work", b"/work")
attempt("chroot", CHROOT, b"/work")
attempt("open_tree", OPEN_TREE, -100, b"/", 1)
attempt("move_mount", MOVE_MOUNT, 0, b"", -100, b"/tmp", 4)
attempt("fsopen", FSOPEN, b"tmpfs", 0)
attempt("fsmount", FSMOUNT, 0, 0, 0)
attempt("mount_setattr", MOUNT_SETATTR, -100, b"/", 0, 0, 0)
arguments = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
attempt("clone3 user", CLONE3, arguments, 88)
for file in ("uid_map", "gid_map", "setgroups"):
    try:
        os.write(os.open(f"/proc/self/{file}", os.O_WRONLY), b"0 0 1")
        print(f"{file}: ALLOWED")
    except OSError as error:
        print(f"{file}: refused {error.errno}")
print("done")
