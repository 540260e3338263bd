"""The address a request really comes from.

Anybody can send X-Forwarded-For, so it counts only when the connection comes from a proxy of ours
(TRUSTED_PROXIES), and is read from its right end: each trusted proxy appends the address it saw. The first address
from the right that is no proxy of ours is the client; what stands left of it is the client's own claim.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

UNIX_SOCKET = "unix"
"""Stands in TRUSTED_PROXIES for a proxy that connects over a Unix socket, which has no address."""


def client_ip(scope: Mapping[str, Any]) -> str:
    """The client's address of an ASGI scope in its shortest form; "" when it has none (a Unix socket)."""
    client = scope.get("client")
    peer = str(client[0]) if client else ""
    if not settings.TRUSTED_PROXIES:
        return _shortest(peer)
    forwarded = [value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"x-forwarded-for"]
    return _behind_proxies(peer, ",".join(forwarded))


def client_ip_of_request(request: HttpRequest) -> str | None:
    """The same of a Django request; None when it has no address (what django-axes stores then)."""
    peer = request.META.get("REMOTE_ADDR") or ""
    return _behind_proxies(peer, request.META.get("HTTP_X_FORWARDED_FOR", "")) or None


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address | None:
    """An IP address, also with a port (`1.2.3.4:80`, `[::1]:80`); None when it is none. A mapped IPv4 is an IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=4096)
def _shortest(peer: str) -> str:
    address = parse_address(peer)
    return "" if address is None else str(address)


def _behind_proxies(peer: str, forwarded: str) -> str:
    networks, unix = _trusted(tuple(settings.TRUSTED_PROXIES))
    nearest = parse_address(peer)
    hops = [hop for hop in forwarded.split(",") if hop.strip()]
    while hops and (unix if nearest is None else _within(nearest, networks)):
        hop = parse_address(hops.pop())
        if hop is None:
            # Our own proxy wrote no address there ("unknown"): what it told before is not its word any more.
            break
        nearest, unix = hop, False
    return "" if nearest is None else str(nearest)


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


@lru_cache(maxsize=16)
def _trusted(entries: tuple[str, ...]) -> tuple[tuple[Network, ...], bool]:
    networks = tuple(ipaddress.ip_network(entry, strict=False) for entry in entries if entry != UNIX_SOCKET)
    return networks, UNIX_SOCKET in entries
