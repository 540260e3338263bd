# Uses name look-ups as a way out: through the resolver, and by raw questions to port 53.
import socket

socket.setdefaulttimeout(1)
for name in ("example.com", "secret.of.this.run.example.net", "localhost.localdomain.invalid"):
    try:
        print(f"{name}: ALLOWED {socket.getaddrinfo(name, 80)}")
    except OSError as error:
        print(f"{name}: refused {error.errno}")
question = b"\x12\x34\x01\x00\x00\x01" + b"\0" * 6 + b"\x07example\x03com\0\0\1\0\1"
for server in ("8.8.8.8", "127.0.0.53", "169.254.169.253", "10.0.2.3"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            udp.connect((server, 53))
            udp.send(question)
            print(f"udp {server}: ALLOWED {udp.recv(512)}")
        except TimeoutError:
            print(f"udp {server}: ALLOWED, and nobody minds")
        except OSError as error:
            print(f"udp {server}: refused {error.errno}")
    with socket.socket() as tcp:
        try:
            tcp.connect((server, 53))
            print(f"tcp {server}: ALLOWED")
        except OSError as error:
            print(f"tcp {server}: refused {error.errno}")
print("done")
