# Opens descriptors until none is left, then hides more of them in flight inside socket pairs.
import os
import socket

held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print("open: refused", error.errno, len(held))
for descriptor in held[-40:]:
    os.close(descriptor)
pairs = [socket.socketpair() for _ in range(8)]
sent = 0
try:
    for left, _ in pairs:
        left.setblocking(False)
        for _ in range(1000):
            socket.send_fds(left, [b"x"], held[:250])
            sent += 250
    print("in flight: ALLOWED", sent)
except OSError as error:
    print("in flight: refused", error.errno)
print("done")
