# Sleeps for ever.
import time

print("so far")
while True:
    time.sleep(1000)
