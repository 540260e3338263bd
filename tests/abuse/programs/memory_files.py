# Fills anonymous memory files: memory that belongs to no address space.
import os

block = b"x" * (1 << 20)
files = []
try:
    while True:
        files.append(os.memfd_create("hidden"))
        for _ in range(64):
            os.write(files[-1], block)
except OSError as error:
    print("memfd: refused", error.errno)
