# The child keeps stdout open long after the parent has ended.
import os
import time

if os.fork() == 0:
    time.sleep(60)
print("parent ends")
