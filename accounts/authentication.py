"""From a request's key to its `Caller`.

    NotAuthenticated 401   key_missing, key_unknown, key_expired, key_revoked
    PermissionDenied 403   wrong_key_kind, foreign_address, foreign_origin

An accepted key is remembered in the process (accounts.key_cache): accepting it again touches no database, no Redis
and no thread. Whoever changes a key calls `announce_change` after the commit, and every process forgets it.

The kind of a key is told by its shape, so a key on the other kind's surface is refused before any look-up. A key
that is restricted to origins refuses a request without an Origin header, too: browsers always send it where it matters,
so its absence means a program, which the restriction is to keep out.
"""

import math
import time
from typing import Protocol

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.db.models import QuerySet

from accounts import broadcast, last_used
from accounts.caller import Caller
from accounts.key_cache import Entry, KeyCache
from accounts.keys import Kind, ParsedKey, parse, same_digest
from accounts.models import ApiKey, WebSocketKey
from accounts.restrictions import address_allowed, origin_allowed, parse_network, parse_origin
from config.errors import ApiError, NotAuthenticated, PermissionDenied

log = structlog.get_logger(__name__)

TOPIC = "key"
"""The broadcast's topic; its keys are `api:<id>` and `websocket:<id>`. Surfaces with open connections subscribe
too, to close those of a revoked key."""

_cache = KeyCache()

_SURFACES: dict[Kind, str] = {
    "api": "This is a WebSocket key, for widgets and Socket.IO. Use an API key here.",
    "websocket": "This is an API key, which must stay secret. Use a WebSocket key here.",
}


class Headers(Protocol):
    """Request headers: `request.headers`, or a dictionary with lower-case names."""

    def get(self, name: str, /) -> str | None: ...


def presented_key(headers: Headers) -> str:
    """The key that a request carries in `X-API-Key: <key>`, `Authorization: <key>` or `Authorization: Bearer <key>`.

    Empty when it carries none. X-API-Key goes first: Authorization may belong to a proxy on the way.
    """
    if key := (headers.get("x-api-key") or "").strip():
        return key
    authorization = (headers.get("authorization") or "").strip()
    scheme, _, rest = authorization.partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else authorization


async def authenticate(*, headers: Headers, client_ip: str, origin: str | None, kind: Kind) -> Caller:
    """The caller of a request to a surface of `kind`; raises NotAuthenticated or PermissionDenied.

    `client_ip` is that of accounts.client_ip, `origin` the Origin header or None.
    """
    key = presented_key(headers)
    if not key:
        raise _unauthenticated("Send your key in the Authorization or the X-API-Key header.", code="key_missing")
    return await authenticate_key(key, client_ip=client_ip, origin=origin, kind=kind)


async def authenticate_key(key: str, *, client_ip: str, origin: str | None, kind: Kind) -> Caller:
    """As `authenticate`, for surfaces where the key comes in a message."""
    parsed = parse(key)
    if parsed is None:
        raise _unknown()
    if parsed.kind != kind:
        raise PermissionDenied(_SURFACES[kind], code="wrong_key_kind")
    try:
        if not broadcast.healthy:
            raise KeyError
        entry = _cache.get(parsed.digest)
    except KeyError:
        entry = await database_sync_to_async(_look_up)(parsed)
    if entry is None:
        raise _unknown()
    _check(entry, client_ip=client_ip, origin=origin)
    last_used.record(entry.caller)
    return entry.caller


def announce_change(*, kind: Kind, key_id: int) -> bool:
    """Makes every process forget the key. Not on an event loop. False: see `Broadcast.publish`."""
    return broadcast.publish_sync(TOPIC, f"{kind}:{key_id}")


def _check(entry: Entry, *, client_ip: str, origin: str | None) -> None:
    if entry.revoked:
        raise _unauthenticated("This key was revoked. Make a new one in your dashboard.", code="key_revoked")
    if entry.expires_at <= time.time():
        raise _unauthenticated("This key has expired. Make a new one in your dashboard.", code="key_expired")
    if entry.networks and not address_allowed(client_ip, entry.networks):
        raise PermissionDenied(
            f"This key may not be used from {client_ip or 'this address'}. Its networks are set in your dashboard.",
            code="foreign_address",
        )
    if entry.origins and not origin_allowed(origin, entry.origins) and not _is_preview(entry, origin):
        raise PermissionDenied(
            "This key may not be used from this page. Its web origins are set in your dashboard."
            if origin
            else "This key may only be used by pages of its web origins; this request names none.",
            code="foreign_origin",
        )


def _is_preview(entry: Entry, origin: str | None) -> bool:
    """Whether it is a widget on a page of our own: its owner trying it in the dashboard."""
    return entry.caller.kind == "websocket" and origin == settings.PUBLIC_URL


def _look_up(parsed: ParsedKey) -> Entry | None:
    # Requests wait here for the one database thread: the first of many with the same key looks it up for all.
    if broadcast.healthy:
        try:
            return _cache.get(parsed.digest)
        except KeyError:
            pass
    generation = _cache.generation
    row = _rows(parsed).first()
    entry = _entry(row) if row is not None and same_digest(row.digest, parsed.digest) else None
    _cache.store(parsed.digest, entry, generation=generation)
    return entry


def _rows(parsed: ParsedKey) -> QuerySet[ApiKey] | QuerySet[WebSocketKey]:
    if parsed.kind == "api":
        return ApiKey.objects.filter(prefix=parsed.prefix)
    return WebSocketKey.objects.filter(digest=parsed.digest)


def _entry(row: ApiKey | WebSocketKey) -> Entry:
    if isinstance(row, ApiKey):
        caller = Caller(row.organisation_id, row.pk, "api", row.redirect_url, bool(row.origins))
    else:
        caller = Caller(row.organisation_id, row.pk, "websocket", bound_to_origins=bool(row.origins))
    return Entry(
        caller=caller,
        networks=tuple(parse_network(text) for text in row.networks),
        origins=tuple(parse_origin(text) for text in row.origins),
        expires_at=math.inf if row.expires_at is None else row.expires_at.timestamp(),
        revoked=row.revoked_at is not None,
    )


def _unauthenticated(message: str, *, code: str) -> ApiError:
    return NotAuthenticated(message, code=code, headers={"WWW-Authenticate": "Bearer"})


def _unknown() -> ApiError:
    return _unauthenticated("This is no key of this service. Copy it again from your dashboard.", code="key_unknown")


def forget_everything() -> None:
    """Empties this process's memory of keys."""
    _cache.forget_everything()


def _forget(name: str) -> None:
    if name == broadcast.EVERYTHING:
        forget_everything()
    else:
        _cache.forget(name)


broadcast.subscribe(TOPIC, _forget)
