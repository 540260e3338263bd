# Leaves a daemon behind: double fork, a session of its own, and the streams closed.
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        while True:
            time.sleep(1)
    os._exit(0)
print("parent ends")
