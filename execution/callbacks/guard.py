"""Connections to addresses that customers choose, and that must not lead into the network of the service.

A name is resolved once, here, and the connection is made to an address that was looked at: a name server that answers
differently the next time is not asked a next time. TLS and the Host header still carry the name.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import httpcore

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[Address]]]
"""A host and a port to its addresses. Raises OSError for a name that has none."""

# Networks that pass on to an IPv4 address which stands in the last or the middle bits.
_TUNNELS: Final = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "2001::/32", "2002::/16")))
# Of IANA's registries of special addresses, what some Pythons take for public: IETF protocol assignments, local-use
# translation, documentation, segment routing. https://www.iana.org/assignments/iana-ipv4-special-registry
_SPECIAL: Final = tuple(
    map(ipaddress.ip_network, ("192.0.0.0/24", "64:ff9b:1::/48", "2001::/23", "3fff::/20", "5f00::/16"))
)


class NameNotFound(OSError):
    pass


class ForbiddenAddress(OSError):
    """Nothing is sent there; `address` is where the name leads."""

    def __init__(self, address: Address) -> None:
        super().__init__(f"{address} is no public address")
        self.address = address


def is_public(address: Address) -> bool:
    """Whether everybody's packets would reach it: not private, loopback, link-local, multicast, reserved, shared (RFC
    6598), or such an IPv4 address in an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.is_site_local or any(address in tunnel for tunnel in _TUNNELS):
            return False
    special = address.is_multicast or address.is_reserved or any(address in network for network in _SPECIAL)
    return address.is_global and not special


async def resolve(host: str, port: int) -> Sequence[Address]:
    """As the system resolves names, from files and from name servers."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise NameNotFound(f"{host}: {error}") from error
    # A link-local address comes with its zone behind a percent sign.
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Makes connections for httpcore, to public addresses only unless `allow_private`."""

    def __init__(self, *, allow_private: bool = False, resolver: Resolver = resolve) -> None:
        self._allow_private = allow_private
        self._resolver = resolver
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the protocol's)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises NameNotFound and ForbiddenAddress, besides what httpcore's own backend raises."""
        async with asyncio.timeout(timeout):
            addresses = await self._resolver(host, port)
        allowed = [address for address in addresses if self._allow_private or is_public(address)]
        if not allowed:
            raise ForbiddenAddress(addresses[0]) if addresses else NameNotFound(host)
        failure: httpcore.ConnectError | httpcore.ConnectTimeout
        for address in allowed:
            try:
                stream = await self._backend.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            await self._check_own(stream, address)
            return stream
        raise failure

    async def _check_own(self, stream: httpcore.AsyncNetworkStream, address: Address) -> None:
        """A connection from an address to itself never leaves the machine, nor passes its firewall: it could reach what
        is for the machine alone, under its public address."""
        here, there = stream.get_extra_info("client_addr"), stream.get_extra_info("server_addr")
        if not self._allow_private and here[0] == there[0]:
            await stream.aclose()
            raise ForbiddenAddress(address)
