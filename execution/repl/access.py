"""Who a token's bearer is to us, and how often an address may be wrong about it."""

import ipaddress
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from accounts.caller import Caller
from accounts.client_ip import client_ip, parse_address
from accounts.client_tokens import ClientToken, parse_client_token
from accounts.ratelimits import LimiterUnavailable, TokenBucket
from accounts.token_owners import owner_of, remembers
from billing.metering import metering
from billing.sole_process import AnotherProcess
from config.errors import LimitExceeded, NotAuthenticated
from execution.realtime.asgi import headers_of

# Wrong tokens of one address: so many at once, and one more every so many seconds.
WRONG_AT_ONCE: Final = 30
SECONDS_A_TRY: Final = 2.0
# Addresses that are kept out for now are remembered here, so that they cost no round trip either.
_MOST_ADDRESSES: Final = 10_000
_SCOPE: Final = "client-tokens"

_kept_out: dict[str, float] = {}


async def caller_of(text: str, scope: Mapping[str, Any]) -> Caller:
    """The caller who presents this token over a connection of this ASGI scope.

    Raises NotAuthenticated (`token_invalid`, `token_expired`), and LimitExceeded (`rate_limit`) for an address that has
    been wrong too often.
    """
    token = parse_client_token(text)
    address = _network_of(client_ip(scope))
    if token is None or not remembers(token):
        _check(address)
    if token is None:
        await _was_wrong(address)
        raise _invalid("This is no token: it is time_created:msg_mac, or account_id:time_created:msg_mac.")
    if not token.in_time(time.time() * 1000):
        raise _expired(token)
    owner = await owner_of(token, _account_of_host(headers_of(scope).get("host", "")))
    if owner is None:
        await _was_wrong(address)
        raise _invalid("No account has signed this token. Its secret may have been replaced: make a new token.")
    return Caller(owner, 0, "token")


async def check_again(text: str, caller: Caller) -> None:
    """Whether the token of a connection is still good. Raises NotAuthenticated."""
    token = parse_client_token(text)
    if token is None or await owner_of(token, caller.organisation_id) != caller.organisation_id:
        raise _invalid("The account's secret was replaced: make a new token.")
    if not token.in_time(time.time() * 1000):
        raise _expired(token)


def _account_of_host(host: str) -> int | None:
    """The account of a host name such as `42.runcode.example`, where this service is `runcode.example`."""
    name = host.rpartition(":")[0] or host
    account, _, rest = name.partition(".")
    # As many digits as an id can have.
    return int(account) if account.isdecimal() and len(account) < 19 and rest and rest == _own_host() else None


def _own_host() -> str:
    return urlsplit(settings.PUBLIC_URL).hostname or ""


def _network_of(address: str) -> str:
    """Whom a guess is counted against. One IPv6 customer has at least a /64 to guess from."""
    parsed = parse_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def _check(address: str) -> None:
    until = _kept_out.get(address, 0.0)
    if time.monotonic() < until:
        wait = max(round(until - time.monotonic()), 1)
        raise LimitExceeded(
            f"Too many wrong tokens came from this address. Wait {wait} s, then try again.",
            headers={"Retry-After": str(wait)},
        )
    _kept_out.pop(address, None)


async def _was_wrong(address: str) -> None:
    bucket = TokenBucket.per_second(f"wrong:{address}", 1 / SECONDS_A_TRY, WRONG_AT_ONCE)
    try:
        decision = await (await metering()).limiter.acquire(_SCOPE, [bucket])
    except (LimiterUnavailable, AnotherProcess):
        # It is refused all the same, and what cannot be counted now is soon counted again.
        return
    if not decision.granted:
        _kept_out[address] = time.monotonic() + decision.retry_after / 1_000_000
        if len(_kept_out) > _MOST_ADDRESSES:
            del _kept_out[next(iter(_kept_out))]


def _invalid(text: str) -> NotAuthenticated:
    return NotAuthenticated(text, code="token_invalid")


def _expired(token: ClientToken) -> NotAuthenticated:
    if int(token.created) > time.time() * 1000:
        return NotAuthenticated("This token is from the future: time_created is in milliseconds.", code="token_invalid")
    return NotAuthenticated("This token is older than five days. Make a new one.", code="token_expired")
