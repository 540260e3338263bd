"""What a key may be restricted to: networks the call comes from, web origins of the page that makes it.

A network is written in CIDR notation (`203.0.113.0/24`, `2001:db8::/32`); a single address stands for itself.

An origin is written in one of three forms:

    https://example.com:8443    exactly this scheme, host and port (no port: the scheme's own)
    example.com                 this host over http or https, on any port; `example.com:8080` on this port only
    *.example.com               any host below it, but not itself

Browsers send `Origin: null` from sandboxed frames and local files. No rule fits it, and none can be written for it.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from accounts.client_ip import Network, parse_address

_WEB_PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class OriginRule:
    """`scheme` is empty for http and https, `port` None for any; `below` takes the hosts under `host`, not itself."""

    scheme: str
    host: str
    port: int | None
    below: bool = False

    def __str__(self) -> str:
        scheme = f"{self.scheme}://" if self.scheme else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        shown = self.port is not None and self.port != _WEB_PORTS.get(self.scheme)
        return f"{scheme}{'*.' if self.below else ''}{host}{f':{self.port}' if shown else ''}"

    def fits(self, scheme: str, host: str, port: int | None) -> bool:
        if self.below:
            if not host.endswith(f".{self.host}"):
                return False
        elif host != self.host:
            return False
        if self.scheme:
            return scheme == self.scheme and port == self.port
        return scheme in _WEB_PORTS and self.port in (None, port)


def parse_network(text: str) -> Network:
    """Raises ValueError with a sentence for the person who wrote it."""
    address, _, length = text.strip().partition("/")
    try:
        network = ipaddress.ip_network(f"{address}/{length}" if length else address, strict=False)
    except ValueError:
        raise ValueError(f"“{text}” is no network. Write it like 203.0.113.0/24 or 2001:db8::/32.") from None
    if isinstance(network, ipaddress.IPv6Network) and (mapped := network.network_address.ipv4_mapped):
        return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


def parse_origin(text: str) -> OriginRule:
    """Raises ValueError with a sentence for the person who wrote it."""
    refusal = ValueError(f"“{text}” is no origin. Write it like https://example.com, example.com or *.example.com.")
    scheme, separator, rest = text.strip().lower().rpartition("://")
    if separator and not _SCHEME.fullmatch(scheme):
        raise refusal
    rest = rest.removesuffix("/")
    below = rest.startswith("*.")
    try:
        parts = urlsplit(f"//{rest.removeprefix('*.')}")
        host, port = parts.hostname or "", parts.port
        if ":" not in host:
            host = host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        raise refusal from None
    is_name = all(_LABEL.fullmatch(label) for label in host.split("."))
    is_address = parse_address(host) is not None
    if not (is_name or is_address) or parts.username is not None or parts.path or parts.query or parts.fragment:
        raise refusal
    if (below and (is_address or "." not in host)) or host == "null":
        raise refusal
    return OriginRule(scheme, host, port if port is not None else _WEB_PORTS.get(scheme), below)


def address_allowed(address: str, networks: Sequence[Network]) -> bool:
    """Whether a caller at `address` is inside one of `networks`; no networks allow all, an unknown address none."""
    if not networks:
        return True
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)


def origin_allowed(origin: str | None, rules: Sequence[OriginRule]) -> bool:
    """Whether one of `rules` fits the request's Origin header; no rules allow all, no header fits none."""
    if not rules:
        return True
    parsed = _parse_header(origin) if origin else None
    return parsed is not None and any(rule.fits(*parsed) for rule in rules)


@lru_cache(maxsize=4096)
def _parse_header(origin: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if not parts.scheme or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port if port is not None else _WEB_PORTS.get(parts.scheme)
