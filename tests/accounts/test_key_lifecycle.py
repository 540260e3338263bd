from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.authentication import authenticate_key
from accounts.key_lifecycle import (
    change_api_key,
    change_websocket_key,
    create_api_key,
    create_websocket_key,
    revoke_api_key,
    revoke_websocket_key,
)
from accounts.keys import digest_of, make_api_key, make_websocket_key
from accounts.models import ApiKey, Key, WebSocketKey
from config.errors import ApiError
from tests.cast import Cast

LATER = timezone.now() + timedelta(days=30)


def code_of(key: str, kind: str, **kwargs: Any) -> str:
    """`accepted`, or the code of the refusal."""
    arguments: dict[str, Any] = {"client_ip": "192.0.2.1", "origin": None, "kind": kind, **kwargs}
    try:
        async_to_sync(authenticate_key)(key, **arguments)
    except ApiError as refusal:
        return refusal.code
    return "accepted"


def test_an_api_key_is_stored_as_a_digest_only(cast: Cast) -> None:
    row, key = create_api_key(
        organisation=cast.alice.organisation,
        created_by=cast.alice.user,
        name="build server",
        networks=["192.0.2.9/24"],
        origins=["HTTPS://Example.org/"],
        expires_at=LATER,
        redirect_url="https://example.org/results",
    )

    row.refresh_from_db()
    stored = ApiKey.objects.filter(pk=row.pk).values().get()
    assert key not in str(stored)
    assert stored["digest"] == digest_of(key)
    assert key.startswith(f"rk_{row.prefix}_")
    assert (row.networks, row.origins) == (["192.0.2.0/24"], ["https://example.org"])
    assert (row.expires_at, row.redirect_url) == (LATER, "https://example.org/results")
    assert (row.organisation, row.created_by, row.state) == (cast.alice.organisation, cast.alice.user, "live")


def test_a_websocket_key_can_be_read_again(cast: Cast) -> None:
    row = create_websocket_key(organisation=cast.alice.organisation, created_by=cast.bob.user, name="blog")

    row.refresh_from_db()
    assert code_of(row.value, "websocket") == "accepted"
    assert row.digest == digest_of(row.value)


@pytest.mark.parametrize(
    "wrong",
    [{"networks": ["example.org"]}, {"origins": ["https://example.org/path"]}],
)
@pytest.mark.parametrize("create", [create_api_key, create_websocket_key])
def test_it_makes_no_key_with_a_rule_it_cannot_keep(cast: Cast, create: Any, wrong: dict[str, Any]) -> None:
    before = key_counts()

    with pytest.raises(ValueError, match="is no"):
        create(organisation=cast.alice.organisation, created_by=None, name="wrong", **wrong)

    assert key_counts() == before


def key_counts() -> tuple[int, int]:
    return ApiKey.objects.count(), WebSocketKey.objects.count()


def test_it_puts_back_only_what_is_a_key_of_that_kind(cast: Cast) -> None:
    arguments: dict[str, Any] = {"organisation": cast.alice.organisation, "created_by": None, "name": "again"}

    with pytest.raises(ValueError, match="no API key"):
        create_api_key(**arguments, plain_key=make_websocket_key())
    with pytest.raises(ValueError, match="no WebSocket key"):
        create_websocket_key(**arguments, value=make_api_key())
    with pytest.raises(IntegrityError), transaction.atomic():
        create_api_key(**arguments, plain_key=cast.charlie.api_key)

    assert code_of(cast.charlie.api_key, "api") == "accepted"


@pytest.mark.django_db(transaction=True)
def test_a_key_that_was_asked_for_before_it_was_made_works_at_once(cast: Cast) -> None:
    api, websocket = make_api_key(), make_websocket_key()
    assert code_of(api, "api") == "key_unknown"
    assert code_of(websocket, "websocket") == "key_unknown"

    create_api_key(organisation=cast.alice.organisation, created_by=None, name="again", plain_key=api)
    create_websocket_key(organisation=cast.alice.organisation, created_by=None, name="again", value=websocket)

    assert code_of(api, "api") == "accepted"
    assert code_of(websocket, "websocket") == "accepted"


@pytest.mark.django_db(transaction=True)
def test_a_changed_key_is_judged_by_its_new_rules_at_once(cast: Cast) -> None:
    api, websocket = cast.alice.api_key_row, cast.alice.websocket_key_row
    assert code_of(cast.alice.api_key, "api") == "accepted"
    assert code_of(cast.alice.websocket_key, "websocket") == "accepted"

    change_api_key(key=api, name="renamed", networks=["10.0.0.0/8"], redirect_url="https://example.org/")
    change_websocket_key(key=websocket, name="renamed", origins=["example.org"])

    assert code_of(cast.alice.api_key, "api") == "foreign_address"
    assert code_of(cast.alice.websocket_key, "websocket") == "foreign_origin"
    api.refresh_from_db()
    assert (api.name, api.redirect_url, api.networks) == ("renamed", "https://example.org/", ["10.0.0.0/8"])

    change_api_key(key=api, name="renamed", expires_at=timezone.now())
    change_websocket_key(key=websocket, name="renamed")

    assert code_of(cast.alice.api_key, "api") == "key_expired"
    assert code_of(cast.alice.websocket_key, "websocket") == "accepted"


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_changes_nothing(cast: Cast) -> None:
    with transaction.atomic():
        revoke_api_key(key=cast.alice.api_key_row)
        transaction.set_rollback(True)

    assert code_of(cast.alice.api_key, "api") == "accepted"


def test_the_first_revocations_time_stands(cast: Cast) -> None:
    for revoke, row in ((revoke_api_key, cast.alice.api_key_row), (revoke_websocket_key, cast.alice.websocket_key_row)):
        revoke(key=row)  # type: ignore[operator]
        first = row.revoked_at
        assert first is not None
        revoke(key=row)  # type: ignore[operator]
        assert row.revoked_at == first


def test_live_keys_are_neither_revoked_nor_expired(cast: Cast) -> None:
    organisation = cast.alice.organisation
    lasting, _ = create_api_key(organisation=organisation, created_by=None, name="lasting", expires_at=LATER)
    expired, _ = create_api_key(
        organisation=organisation, created_by=None, name="expired", expires_at=timezone.now() - timedelta(seconds=1)
    )
    revoke_api_key(key=cast.bob.api_key_row)

    assert set(organisation.api_keys.live()) == {lasting, cast.alice.api_key_row}
    assert (lasting.state, expired.state, cast.bob.api_key_row.state) == ("live", "expired", "revoked")


def test_an_organisation_finds_its_own_keys_only(cast: Cast) -> None:
    organisation = cast.alice.organisation

    assert set(organisation.api_keys.all()) == {cast.alice.api_key_row, cast.bob.api_key_row}
    with pytest.raises(ApiKey.DoesNotExist):
        organisation.api_keys.get(pk=cast.charlie.api_key_row.pk)
    with pytest.raises(WebSocketKey.DoesNotExist):
        organisation.websocket_keys.get(pk=cast.charlie.websocket_key_row.pk)


def test_each_kind_says_how_it_is_shown() -> None:
    with pytest.raises(NotImplementedError):
        _ = Key.masked.fget(ApiKey())  # type: ignore[attr-defined]
