"""`unshare --net --mount python -m tests.callbacks.own_network`: attempts in a network without a way out.

Its loopback has a public address too, and /etc/hosts names that lead where nothing may be sent. A receiver listens on
all addresses. Prints a JSON object: the cause of each attempt, how many messages arrived, how often a name was asked.
"""

import asyncio
import fcntl
import ipaddress
import json
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from execution.callbacks.guard import Address
from execution.callbacks.sending import Message, Sender

SIOCSIFFLAGS, SIOCSIFADDR = 0x8914, 0x8916
UP = 0x1 | 0x40
OWN_PUBLIC = "8.8.8.8"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

HOSTS = """
127.0.0.1 localhost
127.0.0.1 loopback.example
169.254.169.254 metadata.example
10.1.2.3 private.example
"""


def make_network() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP))
        address = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(OWN_PUBLIC))
        fcntl.ioctl(control, SIOCSIFADDR, address)
    hosts = Path(tempfile.mkdtemp()) / "hosts"
    hosts.write_text(HOSTS, encoding="ascii")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--bind", str(hosts), "/etc/hosts"], check=True)


def receive(server: socket.socket, connections: list[str]) -> None:
    while True:
        connection, peer = server.accept()
        connections.append(peer[0])
        if connection.recv(65536):
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            connections.append("message")
        connection.close()


class Rebinding:
    """A name server that answers with a public address the first time and with the loopback from then on."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, _host: str, _port: int) -> Sequence[Address]:
        self.asked += 1
        return [ipaddress.ip_address("9.9.9.9" if self.asked == 1 else "127.0.0.1")]


async def attempt(url: str, **options: object) -> str:
    sender = Sender(**options)  # type: ignore[arg-type]
    sent = await sender.send(Message(url=url, webhook_id="msg_1", body=b"{}", secrets=[SECRET]))
    await sender.aclose()
    return sent.cause


async def main() -> None:
    make_network()
    server = socket.create_server(("0.0.0.0", 0))
    port = server.getsockname()[1]
    connections: list[str] = []
    threading.Thread(target=receive, args=(server, connections), daemon=True).start()
    rebinding = Rebinding()
    hosts = ("localhost", "loopback.example", "metadata.example", "private.example", "nowhere.example", OWN_PUBLIC)
    found = {
        "causes": {host: await attempt(f"http://{host}:{port}/") for host in hosts},
        "rebound": await attempt(f"http://rebound.example:{port}/", resolver=rebinding),
        "asked": rebinding.asked,
        "messages": connections.count("message"),
        "allowed": await attempt(f"http://loopback.example:{port}/", allow_private=True),
        "messages_when_allowed": connections.count("message"),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
