# Leaves everything that can have a name and is no ordinary file where files are collected.
import os
import socket

open("plain", "w").write("mine")
os.link("plain", "hard")
for name, source in (("library", "/usr/bin/python3.14"), ("device", "/dev/zero"), ("passwd", "/etc/passwd")):
    try:
        os.link(source, name)
        print(f"hard link {name}: ALLOWED")
    except OSError as error:
        print(f"hard link {name}: refused {error.errno}")
os.mkfifo("pipe")
socket.socket(socket.AF_UNIX).bind("socket")
os.mkdir("folder")
for name, mode, device in (("zero", 0o020666, os.makedev(1, 5)), ("disk", 0o060666, os.makedev(254, 0))):
    try:
        os.mknod(name, mode, device)
        print(f"device {name}: ALLOWED")
    except OSError as error:
        print(f"device {name}: refused {error.errno}")
try:
    os.mknod("whiteout", 0o020666, os.makedev(0, 0))  # the one device that anybody may make; it leads nowhere
except OSError:
    pass
open("locked", "w").write("mine")
os.chmod("locked", 0)
print("done")
