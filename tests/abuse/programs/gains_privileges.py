# Tries to become somebody else: set-uid files, capabilities, device nodes, raw disks.
import os
import subprocess


def attempt(name, action):
    try:
        action()
        print(f"{name}: ALLOWED")
    except (OSError, ValueError) as error:
        print(f"{name}: refused {getattr(error, 'errno', error)}")


attempt("setuid 0", lambda: os.setuid(0))
attempt("setgid 0", lambda: os.setgid(0))
attempt("setgroups", lambda: os.setgroups([0]))
attempt("chown", lambda: os.chown("main.py", 0, 0))
attempt("block device", lambda: os.mknod("/work/disk", 0o060666, os.makedev(8, 0)))
attempt("character device", lambda: os.mknod("/work/mem", 0o020666, os.makedev(1, 1)))
attempt("raw disk", lambda: os.open("/dev/vda", os.O_RDONLY))
attempt("loop device", lambda: os.open("/dev/loop-control", os.O_RDWR))
attempt("kvm", lambda: os.open("/dev/kvm", os.O_RDWR))
attempt("fuse", lambda: os.open("/dev/fuse", os.O_RDWR))
attempt("file capability", lambda: os.setxattr("main.py", "security.capability", b"\1\0\0\2\0\x20\0\0" + b"\0" * 12))
set_uid = [
    os.path.join(folder, name)
    for folder, _, names in os.walk("/usr")
    for name in names
    if not os.path.islink(os.path.join(folder, name)) and os.stat(os.path.join(folder, name)).st_mode & 0o6000
]
print("set-uid files:", f"ALLOWED {set_uid}" if set_uid else "refused (none)")
with open("/work/id", "wb") as copy:
    copy.write(open("/usr/bin/id", "rb").read())
os.chmod("/work/id", 0o6755)
identity = subprocess.run(["/work/id"], capture_output=True, text=True).stdout
print("set-uid copy:", "ALLOWED" if "uid=0" in identity or "euid=0" in identity else "refused (no effect)")
capabilities = [line.split()[1] for line in open("/proc/self/status") if line.startswith("Cap")][:3]
print("capabilities:", "refused (none)" if set(capabilities) == {"0" * 16} else f"ALLOWED {capabilities}")
print("done")
