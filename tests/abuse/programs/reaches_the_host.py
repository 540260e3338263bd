# Tries to connect to the addresses it is given, those of its host, where somebody listens; and asks its devices what
# they have sent.
import socket
import sys

socket.setdefaulttimeout(1)
*addresses, port = sys.argv[1:]
for address in addresses:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(family, kind) as connection:
            try:
                connection.connect((address, int(port)))
                connection.send(b"x")
                print(f"{address} {kind.name}: ALLOWED {connection.recv(1)}")
            except TimeoutError:
                print(f"{address} {kind.name}: ALLOWED, and nobody minds")
            except OSError as error:
                print(f"{address} {kind.name}: refused {error.errno}")
with socket.socket(socket.AF_UNIX) as connection:
    try:
        connection.connect(f"\0runcode-test-{port}")
        print("abstract socket: ALLOWED")
    except OSError as error:
        print(f"abstract socket: refused {error.errno}")
devices = [line.split() for line in open("/proc/net/dev").read().splitlines()[2:]]
# What goes over a loopback of its own, where it is up, goes nowhere.
sent = {fields[0]: fields[9:11] for fields in devices if fields[0] != "lo:"}
print("packets sent:", f"ALLOWED {sent}" if sent else "refused (none)")
print("done")
