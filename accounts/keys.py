"""The shape of keys and of account secrets: how they are made, told apart and turned into digests.

    api key         rk_<8 characters>_<40 characters>   the 8 are its prefix: public, unique, shown in lists
    websocket key   wk_<32 characters>                  public by nature, it stands in HTML
    account secret  rs_<40 characters>                  HMAC key of tokens, address of the usage page

All characters are letters and digits, so that a double click selects the whole and nothing needs escaping in
a URL, a header or a shell. One character carries log2(62) = 5.95 bits: 40 are 238 bits, 32 are 190 bits. Strings of
that entropy need no slow password hash: SHA-256 cannot be searched backwards. The digest is not tied to SECRET_KEY,
so that rotating SECRET_KEY voids no key.
"""

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass
from typing import Literal

Kind = Literal["api", "websocket"]

ALPHABET = string.ascii_letters + string.digits
PREFIX_LENGTH = 8
API_SECRET_LENGTH = 40
WEBSOCKET_LENGTH = 32
ACCOUNT_SECRET_LENGTH = 40

_API = re.compile(rf"rk_([0-9A-Za-z]{{{PREFIX_LENGTH}}})_[0-9A-Za-z]{{{API_SECRET_LENGTH}}}", re.ASCII)
_WEBSOCKET = re.compile(rf"wk_[0-9A-Za-z]{{{WEBSOCKET_LENGTH}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """What a well-formed key tells without any look-up; `prefix` is empty for websocket keys."""

    kind: Kind
    prefix: str
    digest: str


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def make_api_key() -> str:
    return f"rk_{_random(PREFIX_LENGTH)}_{_random(API_SECRET_LENGTH)}"


def make_websocket_key() -> str:
    return f"wk_{_random(WEBSOCKET_LENGTH)}"


def make_account_secret() -> str:
    return f"rs_{_random(ACCOUNT_SECRET_LENGTH)}"


def digest_of(value: str) -> str:
    """SHA-256 in 64 hexadecimal digits. Takes any text, also what is no key at all."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def same_digest(one: str, other: str) -> bool:
    """Compares in a time that does not tell how many characters agree."""
    return hmac.compare_digest(one, other)


def parse(value: str) -> ParsedKey | None:
    """The key's kind, prefix and digest, or None when `value` is not shaped like a key of this service."""
    if match := _API.fullmatch(value):
        return ParsedKey("api", match[1], digest_of(value))
    if _WEBSOCKET.fullmatch(value):
        return ParsedKey("websocket", "", digest_of(value))
    return None
