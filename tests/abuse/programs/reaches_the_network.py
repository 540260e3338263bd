# Tries to reach anything outside: by TCP, UDP and ICMP, over IPv4 and IPv6, the host and the cloud's metadata.
import socket

socket.setdefaulttimeout(1)
for host in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.0.1", "8.8.8.8", "255.255.255.255"):
    for port in (22, 53, 80, 8000):
        with socket.socket() as tcp:
            try:
                tcp.connect((host, port))
                print(f"tcp {host}:{port}: ALLOWED")
            except OSError as error:
                print(f"tcp {host}:{port}: refused {error.errno}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            udp.connect((host, 53))
            udp.send(b"x")
            print(f"udp {host}: ALLOWED {udp.recv(1)}")
        except TimeoutError:
            print(f"udp {host}: ALLOWED, and nobody minds")
        except OSError as error:
            print(f"udp {host}: refused {error.errno}")
for host in ("::1", "fd00:ec2::254", "2001:4860:4860::8888", "fe80::1"):
    with socket.socket(socket.AF_INET6) as tcp:
        try:
            tcp.connect((host, 80))
            print(f"tcp {host}: ALLOWED")
        except OSError as error:
            print(f"tcp {host}: refused {error.errno}")
for family, kind, protocol in (
    (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    (socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
    (socket.AF_INET, socket.SOCK_STREAM, 262),
    (socket.AF_INET, socket.SOCK_SEQPACKET, 132),
    (socket.AF_INET6, socket.SOCK_RAW, 58),
    (socket.AF_PACKET, socket.SOCK_RAW, 0),
):
    try:
        socket.socket(family, kind, protocol).close()
        print(f"socket {family} {kind} {protocol}: ALLOWED")
    except OSError as error:
        print(f"socket {family} {kind} {protocol}: refused {error.errno}")
print("done")
