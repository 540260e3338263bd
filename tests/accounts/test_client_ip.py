from typing import Any

import pytest
from django.test import RequestFactory

from accounts.client_ip import client_ip, client_ip_of_request, parse_address


def scope(peer: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"host", b"x"), *((b"x-forwarded-for", value.encode()) for value in forwarded)]
    return {"client": (peer, 1234) if peer is not None else None, "headers": headers}


def test_it_believes_no_header_without_trusted_proxies() -> None:
    assert client_ip(scope("198.51.100.7", "203.0.113.1")) == "198.51.100.7"


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", ["203.0.113.1, 10.0.0.2"], "203.0.113.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.1:4711"], "203.0.113.1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["203.0.113.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1, ,"], "203.0.113.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("198.51.100.7", ["203.0.113.1"], "198.51.100.7"),
        (None, ["203.0.113.1"], ""),
    ],
)
def test_it_reads_the_header_from_the_right(settings, peer: str | None, forwarded: list[str], found: str) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]

    assert client_ip(scope(peer, *forwarded)) == found


def test_a_proxy_on_a_unix_socket_is_trusted_when_named(settings) -> None:
    settings.TRUSTED_PROXIES = ["unix"]

    assert client_ip(scope(None, "1.1.1.1, 203.0.113.1")) == "203.0.113.1"
    assert client_ip(scope("", "203.0.113.1")) == "203.0.113.1"
    assert client_ip(scope("198.51.100.7", "203.0.113.1")) == "198.51.100.7"


def test_a_page_request_is_read_alike(settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    make = RequestFactory().get

    assert client_ip_of_request(make("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.1")) == "203.0.113.1"
    assert client_ip_of_request(make("/", REMOTE_ADDR="1.2.3.4", HTTP_X_FORWARDED_FOR="203.0.113.1")) == "1.2.3.4"
    assert client_ip_of_request(make("/", REMOTE_ADDR="")) is None


def test_a_mapped_address_is_an_ipv4_address() -> None:
    assert str(parse_address("::ffff:192.0.2.1")) == "192.0.2.1"
    assert parse_address("here") is None
