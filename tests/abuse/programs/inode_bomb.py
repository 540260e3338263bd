# Makes folders in folders, then empty files, as many as it can.
import os

deep = 0
try:
    while deep < 10_000:
        os.mkdir("d")
        os.chdir("d")
        deep += 1
    os.chdir("/work")
    for number in range(1_000_000):
        os.close(os.open(f"f{number}", os.O_CREAT))
except OSError as error:
    print("files: refused", error.errno)
