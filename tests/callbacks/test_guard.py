"""Where nothing is sent, whatever a customer writes and whatever a name server says."""

import ipaddress
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from execution.callbacks.endpoints import make_secret
from execution.callbacks.guard import is_public
from execution.callbacks.sending import Attempted, Message, Sender
from tests.callbacks.receiver import Receiver, receiving
from tests.server import REPOSITORY


async def attempt(url: str, **options: Any) -> Attempted:
    sender = Sender(**options)
    try:
        return await sender.send(Message(url=url, webhook_id="msg_1", body=b"{}", secrets=[make_secret()]))
    finally:
        await sender.aclose()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "2a00:1450::1"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    (
        "0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.8.8.8 169.254.169.254 172.16.0.1 192.0.0.8 192.0.0.171 192.0.2.1 "
        "192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 "
        ":: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::808:808 "
        "64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:db8::1 3fff::1 "
        "2002:7f00:1:: fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1"
    ).split(),
)
def test_others_are_not(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0", "[::1]", "[::ffff:127.0.0.1]", "LOCALHOST"],
)
async def test_nothing_reaches_this_machine_in_whatever_notation(receiver: Receiver, host: str) -> None:
    port = receiver.url.split(":")[2].partition("/")[0]
    sent = await attempt(f"http://{host}:{port}/")
    assert "no public address; nothing is sent there." in sent.cause
    assert (sent.status, receiver.received) == (None, [])


async def test_the_address_of_the_machines_metadata_is_refused() -> None:
    sent = await attempt("http://169.254.169.254/latest/meta-data/")
    assert sent.cause == (
        "169.254.169.254 leads to 169.254.169.254, which is no public address; nothing is sent there."
    )
    assert sent.seconds < 5


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_there_is_not_followed(status: int) -> None:
    location = {"Location": "http://169.254.169.254/latest/meta-data/"}
    with receiving(lambda _message, _number: (status, location)) as receiver:
        sent = await attempt(receiver.url, allow_private=True)
        assert sent.status == status
        assert sent.cause.endswith("redirects are not followed.")
        assert len(receiver.received) == 1


def test_names_that_lead_there_are_refused_and_a_name_is_asked_once() -> None:
    """In a network of its own, with an /etc/hosts of its own and a name server that changes its mind."""
    command = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.callbacks.own_network"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    leads_to = {
        "localhost": "127.0.0.1",
        "loopback.example": "127.0.0.1",
        "metadata.example": "169.254.169.254",
        "private.example": "10.1.2.3",
        # Its own public address: what listens there may be for the machine alone.
        "8.8.8.8": "8.8.8.8",
    }
    causes = found["causes"]
    for host, address in leads_to.items():
        assert causes[host] == f"{host} leads to {address}, which is no public address; nothing is sent there."
    assert causes["nowhere.example"] == "The name nowhere.example was not found."
    # The connection goes to the address that was looked at, which nobody has here, and not to the one named later.
    assert (found["rebound"], found["asked"]) == ("The connection could not be made.", 1)
    assert found["messages"] == 0
    assert (found["allowed"], found["messages_when_allowed"]) == ("", 1)
