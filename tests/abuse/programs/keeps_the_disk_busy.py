# Tries to keep the host's disk busy through files of the toolchain, and to empty the page cache for the neighbours.
# The flushes and the dropping of cached pages are accepted and must do nothing: whoever runs this counts the disk's.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
library = os.open("/usr/bin/python3.14", os.O_RDONLY)
for _ in range(2000):
    os.fsync(library)
    os.fdatasync(library)
    os.posix_fadvise(library, 0, 0, os.POSIX_FADV_DONTNEED)
    libc.sync_file_range(library, ctypes.c_long(0), ctypes.c_long(0), 7)
for _ in range(20):
    os.sync()
    libc.syncfs(library)
print("flushes: refused (nothing done)")
for path in ("/usr/bin/python3.14", "/etc/passwd"):
    try:
        os.open(path, os.O_RDONLY | os.O_DIRECT)
        print(f"around the page cache {path}: ALLOWED")
    except OSError as error:
        print(f"around the page cache {path}: refused {error.errno}")
F_SETFL, longer = 4, (1 << 32) | 4
for command in (F_SETFL, longer):
    done = libc.syscall(72, library, ctypes.c_long(command), os.O_DIRECT)
    print("switched to it:", "ALLOWED" if done == 0 else f"refused {ctypes.get_errno()}")
page = ctypes.create_string_buffer(4096)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(page), 4096)
done = libc.syscall(327, library, vector, 1, 0, 0, 0x80)
print("uncached read:", "ALLOWED" if done >= 0 else f"refused {ctypes.get_errno()}")
print("done")
