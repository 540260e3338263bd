# Leaves something behind in every place there is, for the next program to find.
import ctypes
import fcntl
import os
import socket
import subprocess
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
for folder in ("/work", "/tmp", "/var/tmp", "/dev/shm", "/build"):
    open(f"{folder}/left", "w").write("a secret of this run")
    os.mkfifo(f"{folder}/pipe")
shared = libc.shmget(0x5EC2E7, 4096, 0o1666)
ctypes.memmove(libc.shmat(shared, 0, 0), b"a secret of this run", 20)
libc.msgget(0x5EC2E7, 0o1666)
libc.semget(0x5EC2E7, 1, 0o1666)
libc.mq_open(b"/left", os.O_CREAT | os.O_RDWR, 0o666, 0)
abstract = socket.socket(socket.AF_UNIX)
abstract.bind("\0left")
abstract.listen()
listening = socket.socket()
listening.bind(("0.0.0.0", 4242))
listening.listen()
for _ in range(500):  # shows in the counters of the network namespace
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            udp.sendto(b"x", ("8.8.8.8", 53))
        except OSError:
            pass
in_flight = socket.socketpair()
socket.send_fds(in_flight[0], [b"x"], [in_flight[0].fileno(), in_flight[1].fileno(), abstract.fileno()])
for path in ("/dev/null", "/usr/bin/python3.14", "/usr/lib/python3.14", "/usr"):
    try:
        fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass  # another program holds it
fcntl.flock(0, fcntl.LOCK_EX | fcntl.LOCK_NB)
fcntl.fcntl(0, fcntl.F_SETFL, os.O_NONBLOCK)
for _ in range(8):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)  # left"], start_new_session=True)
threading.Thread(target=threading.Event().wait).start()
print("left", flush=True)
os._exit(0)
