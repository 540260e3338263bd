# Ignores every signal that can be ignored.
import signal
import time

for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
print("deaf")
while True:
    time.sleep(1)
