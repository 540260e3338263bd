# Fills shared memory, after looking whether somebody left something there.
import os

print("leftovers:", "refused (none)" if os.listdir("/dev/shm") == [] else "ALLOWED")
try:
    with open("/dev/shm/x", "wb", buffering=0) as file:
        while True:
            file.write(b"x" * (1 << 20))
except OSError as error:
    print("shm: refused", error.errno)
print("done")
