# Prints every byte there is, among them NUL and what is no UTF-8, in pieces that split characters.
import os
import time

os.write(1, bytes(range(256)) * 64)
for byte in "é€😀".encode():
    os.write(1, bytes([byte]))
    time.sleep(0.005)
os.write(1, b"\0end")
