# Stops its parent, its group and itself.
import os
import signal

print("stopping")
for target in (os.getppid(), 0, os.getpid()):
    try:
        os.kill(target, signal.SIGSTOP)
    except OSError:
        pass
