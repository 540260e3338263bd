# Leaves files whose names mean something to a shell, a terminal, a path or JSON.
import os

NAMES = [b"new\nline", b"-rf", b"--help", b" ", b"~", b"$(id)", b"`id`", b"a;b", b"*", b"?", b"\\", b'"', b"'", b"%00"]
NAMES += [b"\x1b[31mred", b"\xff\xfe", "\N{FRACTION SLASH}etc".encode(), "\N{RIGHT-TO-LEFT OVERRIDE}fdp".encode()]
NAMES += [b"x" * 255, b"...", b"..\xe2\x88\x95..", b"<script>", b"C:", b"{}", b"\t"]
for name in NAMES:
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
for name in (b"../outside", b"/outside", b"../../etc/outside", b"nul\xc0\x80\x00", b"x" * 256):
    try:
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        print(f"{name[:20]}: ALLOWED")
    except (OSError, ValueError) as error:
        print(f"{name[:20]}: refused {getattr(error, 'errno', error)}")
os.symlink("/etc/passwd", "to-the-host")
print("done")
