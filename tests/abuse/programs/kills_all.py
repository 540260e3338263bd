# Kills everything it may, its own children and process 1 among it.
import os
import signal

for _ in range(3):
    if os.fork() == 0:
        signal.pause()
for target in (1, os.getppid()):
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
        try:
            os.kill(target, number)
        except OSError:
            pass
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.kill(-1, signal.SIGTERM)
print("survivor")
