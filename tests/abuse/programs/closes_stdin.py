# Closes stdin at once.
import os
import time

os.close(0)
time.sleep(0.2)
print("closed")
