"""The life of keys: made, changed, revoked. Whatever changes takes effect in every process once it is committed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.authentication import announce_change
from accounts.keys import Kind, make_api_key, make_websocket_key, parse
from accounts.models import ApiKey, Organisation, User, WebSocketKey
from accounts.restrictions import parse_network, parse_origin


def create_api_key(
    *,
    organisation: Organisation,
    created_by: User | None,
    name: str,
    networks: Sequence[str] = (),
    origins: Sequence[str] = (),
    expires_at: datetime | None = None,
    redirect_url: str = "",
    plain_key: str = "",
) -> tuple[ApiKey, str]:
    """The new key's row and the key itself, which is stored nowhere: show it now or never.

    `plain_key` puts a key back that was made before. Raises ValueError for a malformed network, origin or key.
    """
    plain_key = plain_key or make_api_key()
    parsed = parse(plain_key)
    if parsed is None or parsed.kind != "api":
        raise ValueError("This is no API key.")
    key = organisation.api_keys.create(
        created_by=created_by,
        prefix=parsed.prefix,
        digest=parsed.digest,
        redirect_url=redirect_url,
        **_common(name=name, networks=networks, origins=origins, expires_at=expires_at),
    )
    _announce("api", key.pk)
    return key, plain_key


def create_websocket_key(
    *,
    organisation: Organisation,
    created_by: User | None,
    name: str,
    networks: Sequence[str] = (),
    origins: Sequence[str] = (),
    expires_at: datetime | None = None,
    value: str = "",
) -> WebSocketKey:
    """The new key's row; its `value` is the key.

    A given `value` puts a key back that was made before. Raises ValueError for a malformed network, origin or key.
    """
    value = value or make_websocket_key()
    parsed = parse(value)
    if parsed is None or parsed.kind != "websocket":
        raise ValueError("This is no WebSocket key.")
    key = organisation.websocket_keys.create(
        created_by=created_by,
        value=value,
        digest=parsed.digest,
        **_common(name=name, networks=networks, origins=origins, expires_at=expires_at),
    )
    _announce("websocket", key.pk)
    return key


def change_api_key(
    *,
    key: ApiKey,
    name: str,
    networks: Sequence[str] = (),
    origins: Sequence[str] = (),
    expires_at: datetime | None = None,
    redirect_url: str = "",
) -> None:
    """Replaces what may be changed of a key. Raises ValueError for a malformed network or origin."""
    key.redirect_url = redirect_url
    _change(key, ["redirect_url"], name=name, networks=networks, origins=origins, expires_at=expires_at)
    _announce("api", key.pk)


def change_websocket_key(
    *,
    key: WebSocketKey,
    name: str,
    networks: Sequence[str] = (),
    origins: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> None:
    """Replaces what may be changed of a key. Raises ValueError for a malformed network or origin."""
    _change(key, [], name=name, networks=networks, origins=origins, expires_at=expires_at)
    _announce("websocket", key.pk)


def revoke_api_key(*, key: ApiKey) -> None:
    """Ends a key for good, in every process by the time this returns (when no transaction is open around it)."""
    _revoke(key)
    _announce("api", key.pk)


def revoke_websocket_key(*, key: WebSocketKey) -> None:
    """Ends a key for good, in every process by the time this returns (when no transaction is open around it)."""
    _revoke(key)
    _announce("websocket", key.pk)


def _common(
    *, name: str, networks: Sequence[str], origins: Sequence[str], expires_at: datetime | None
) -> dict[str, Any]:
    return {
        "name": name,
        "networks": [str(parse_network(text)) for text in networks],
        "origins": [str(parse_origin(text)) for text in origins],
        "expires_at": expires_at,
    }


def _change(key: ApiKey | WebSocketKey, further: list[str], **common: Any) -> None:
    values = _common(**common)
    for name, value in values.items():
        setattr(key, name, value)
    key.save(update_fields=[*values, *further])


def _revoke(key: ApiKey | WebSocketKey) -> None:
    # The first revocation's time stands; two people may press the button at once.
    type(key).objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    key.refresh_from_db(fields=["revoked_at"])


def _announce(kind: Kind, key_id: int) -> None:
    transaction.on_commit(lambda: announce_change(kind=kind, key_id=key_id))
