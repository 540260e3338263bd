# Tries to get pages of the toolchain's files, as the page cache holds them, into pipes and sockets, and to change them
# there or in memory.
import ctypes
import mmap
import os
import socket

libc = ctypes.CDLL(None, use_errno=True)


def attempt(name, action):
    try:
        action()
        print(f"{name}: ALLOWED")
    except (OSError, ValueError, PermissionError) as error:
        print(f"{name}: refused {getattr(error, 'errno', None) or error}")


def vmsplice():
    page = ctypes.create_string_buffer(4096)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(page), 4096)
    if libc.syscall(278, end, vector, 1, 8) < 0:
        raise OSError(ctypes.get_errno(), "vmsplice")


def tee():
    if libc.syscall(276, start, other_end, 4096, 0) < 0:
        raise OSError(ctypes.get_errno(), "tee")


library = os.open("/usr/bin/python3.14", os.O_RDONLY)
start, end = os.pipe()
other_start, other_end = os.pipe()
os.write(end, b"x")
left, right = socket.socketpair()
attempt("splice into a pipe", lambda: os.splice(library, end, 4096, offset_src=0))
attempt("sendfile into a pipe", lambda: os.sendfile(end, library, 0, 4096))
attempt("sendfile into a socket", lambda: os.sendfile(left.fileno(), library, 0, 4096))
attempt("vmsplice", vmsplice)
attempt("tee", tee)
attempt("map to write", lambda: mmap.mmap(library, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE))
attempt("open to write", lambda: os.open("/usr/bin/python3.14", os.O_RDWR))
attempt("truncate", lambda: os.truncate("/usr/bin/python3.14", 0))
attempt("allocate", lambda: os.posix_fallocate(library, 0, 4096))
attempt("copy into it", lambda: os.copy_file_range(os.open("main.py", os.O_RDONLY), library, 16))
attempt("change its mode", lambda: os.chmod("/usr/bin/python3.14", 0o777))
attempt("change its times", lambda: os.utime("/usr/bin/python3.14", (0, 0)))
attempt("set an attribute", lambda: os.setxattr("/usr/bin/python3.14", "user.x", b"x"))


def libc_ioctl(request):
    if libc.ioctl(library, ctypes.c_ulong(request), (ctypes.c_long * 64)()) < 0:
        raise OSError(ctypes.get_errno(), "ioctl")


for request in (0x40086602, 0x40049409, 0xC0189436, 0x6685, 0x40806685, 0xC0045877, 0xC0406617):
    attempt(f"ioctl {request:#x}", lambda: libc_ioctl(request))
print("done")
