# Leaves links to files of the host and the toolchain where files are collected; one is swapped for a file and back,
# as fast as possible, until the end.
import os

for name, target in {
    "shadow": "/etc/shadow", "passwd": "/etc/passwd", "environ": "/proc/1/environ", "up": "../../../etc/passwd",
    "self": "self", "library": "/usr/lib", "root": "/", "out/passwd": "/etc/passwd", "fd": "/proc/self/fd/0",
    "long": "x" * 4000,
}.items():  # fmt: skip
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    os.symlink(target, name)
os.symlink("/etc", "out/etc")
for number in range(60):
    os.symlink(f"chain{number + 1}", f"chain{number}")
open("plain", "w").write("mine")
open("file", "w").write("mine")
os.symlink("/etc/passwd", "link")
os.makedirs("folder")
os.symlink("/etc", "path")
for swapped, other in (("link", "file"), ("path", "folder")):
    if os.fork() == 0:
        while True:
            os.rename(swapped, "spare-" + swapped)
            os.rename(other, swapped)
            os.rename("spare-" + swapped, other)
print("done")
