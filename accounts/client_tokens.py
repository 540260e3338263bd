"""Tokens that an account's own server makes for its users' browsers, as ReplitClient carries them.

    time_created:msg_mac                 time_created = Unix milliseconds in decimal digits
    account_id:time_created:msg_mac      the same, which names its account

`msg_mac` is the padded base64 of HMAC-SHA256(account secret, the digits of time_created). Some languages end base64
with a newline; it is cut off. A token names no user and no right: it opens the account's programs for five days.
"""

import base64
import binascii
import hmac
import re
from dataclasses import dataclass

LIFETIME_MS = 5 * 24 * 3600 * 1000
# How far the clock of a customer's server may be ahead of ours.
SKEW_MS = 60_000
# Nobody's megabytes are looked at before it is known whose they are.
MOST_CHARACTERS = 128

_TOKEN = re.compile(r"(?:([0-9]{1,18}):)?([0-9]{1,16}):([A-Za-z0-9+/]{43}=)\r?\n?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClientToken:
    """A well-formed token: `created` as it was received, which is what is signed, `mac` in raw bytes."""

    account_id: int | None
    created: str
    mac: bytes

    def in_time(self, now_ms: float) -> bool:
        """Whether it is neither too old nor from the future."""
        return now_ms - LIFETIME_MS <= int(self.created) <= now_ms + SKEW_MS

    def signed_with(self, secret: str) -> bool:
        """Whether the account of this secret made it. Takes as long for a mac that is almost right as for any other."""
        return hmac.compare_digest(_mac(secret, self.created), self.mac)


def parse_client_token(text: str) -> ClientToken | None:
    """None for what is no token at all."""
    match = _TOKEN.fullmatch(text) if len(text) <= MOST_CHARACTERS else None
    if match is None:
        return None
    try:
        mac = base64.b64decode(match[3], validate=True)
    except binascii.Error:
        return None
    if base64.b64encode(mac).decode() != match[3]:
        # The last character has two bits to spare: one mac, one spelling.
        return None
    return ClientToken(None if match[1] is None else int(match[1]), match[2], mac)


def make_client_token(*, secret: str, created_ms: int, account_id: int | None = None) -> str:
    """A token of the account that has this secret."""
    created = str(created_ms)
    token = f"{created}:{base64.b64encode(_mac(secret, created)).decode()}"
    return token if account_id is None else f"{account_id}:{token}"


def _mac(secret: str, created: str) -> bytes:
    return hmac.digest(secret.encode(), created.encode(), "sha256")
