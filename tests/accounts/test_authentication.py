import asyncio
import math
import threading
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import authentication, broadcast, last_used
from accounts.authentication import authenticate, presented_key
from accounts.caller import Caller
from accounts.key_lifecycle import create_api_key, create_websocket_key, revoke_api_key, revoke_websocket_key
from accounts.keys import make_websocket_key
from accounts.models import ApiKey
from config.errors import ApiError, NotAuthenticated, PermissionDenied
from tests.cast import Cast, Person

HERE = "203.0.113.7"


def caller_of(key: str, *, kind: str = "api", client_ip: str = HERE, origin: str | None = None) -> Caller:
    # On the test's own thread, so that it sees the test's transaction.
    return async_to_sync(authenticate)(headers={"authorization": key}, client_ip=client_ip, origin=origin, kind=kind)


def refusal_of(key: str, **kwargs: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        caller_of(key, **kwargs)
    return caught.value


def api_key_of(person: Person, **restrictions: Any) -> tuple[ApiKey, str]:
    return create_api_key(organisation=person.organisation, created_by=person.user, name="restricted", **restrictions)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, ""),
        ({"authorization": "KEY"}, "KEY"),
        ({"authorization": " KEY "}, "KEY"),
        ({"authorization": "Bearer KEY"}, "KEY"),
        ({"authorization": "bearer  KEY"}, "KEY"),
        ({"authorization": "Bearer"}, ""),
        ({"authorization": "Basic KEY"}, "Basic KEY"),
        ({"x-api-key": "KEY"}, "KEY"),
        ({"x-api-key": "KEY", "authorization": "Basic abc"}, "KEY"),
        ({"x-api-key": " ", "authorization": "KEY"}, "KEY"),
    ],
)
def test_it_finds_the_key_in_every_carrier(headers: dict[str, str], found: str) -> None:
    assert presented_key(headers) == found


def test_it_tells_whose_key_it_is(cast: Cast) -> None:
    row, key = api_key_of(cast.alice, redirect_url="https://example.org/results")

    assert caller_of(key) == Caller(cast.alice.organisation.pk, row.pk, "api", "https://example.org/results")
    assert caller_of(cast.alice.websocket_key, kind="websocket") == Caller(
        cast.alice.organisation.pk, cast.alice.websocket_key_row.pk, "websocket", ""
    )
    assert caller_of(cast.charlie.api_key).organisation_id == cast.charlie.organisation.pk


@pytest.mark.django_db
def test_it_asks_for_a_key() -> None:
    with pytest.raises(NotAuthenticated) as caught:
        async_to_sync(authenticate)(headers={}, client_ip=HERE, origin=None, kind="api")

    assert (caught.value.status, caught.value.code) == (401, "key_missing")
    assert caught.value.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["nonsense", "Basic abc", f"rk_{'a' * 8}_{'b' * 40}"])
def test_it_refuses_an_unknown_key(key: str) -> None:
    refusal = refusal_of(key)

    assert (refusal.status, refusal.code) == (401, "key_unknown")


def test_it_refuses_a_key_that_shares_a_prefix_with_a_real_one(cast: Cast) -> None:
    swapped = "a" if cast.alice.api_key[-1] != "a" else "b"

    assert refusal_of(cast.alice.api_key[:-1] + swapped).code == "key_unknown"
    assert caller_of(cast.alice.api_key).key_id == cast.alice.api_key_row.pk


def test_it_refuses_a_key_of_the_other_kind(cast: Cast) -> None:
    websocket = refusal_of(cast.alice.websocket_key, kind="api")
    api = refusal_of(cast.alice.api_key, kind="websocket")

    assert isinstance(websocket, PermissionDenied)
    assert (websocket.status, websocket.code) == (403, "wrong_key_kind")
    assert (api.status, api.code) == (403, "wrong_key_kind")
    assert websocket.message != api.message


def test_it_refuses_an_expired_key(cast: Cast) -> None:
    _, key = api_key_of(cast.alice, expires_at=timezone.now() - timedelta(seconds=1))

    refusal = refusal_of(key)

    assert (refusal.status, refusal.code) == (401, "key_expired")


def test_a_remembered_key_expires_at_its_moment(cast: Cast) -> None:
    moment = timezone.now() + timedelta(seconds=0.5)
    _, key = api_key_of(cast.alice, expires_at=moment)
    caller_of(key)

    async def until_it_expires() -> None:
        await asyncio.sleep((moment - timezone.now()).total_seconds())

    async_to_sync(until_it_expires)()

    assert refusal_of(key).code == "key_expired"


def test_it_refuses_a_foreign_address(cast: Cast) -> None:
    _, key = api_key_of(cast.alice, networks=["203.0.113.0/24"])

    assert caller_of(key, client_ip="203.0.113.9").kind == "api"
    refusal = refusal_of(key, client_ip="198.51.100.1")
    assert (refusal.status, refusal.code) == (403, "foreign_address")
    assert "198.51.100.1" in refusal.message
    assert refusal_of(key, client_ip="").code == "foreign_address"


def test_it_refuses_a_foreign_origin(cast: Cast) -> None:
    key = create_websocket_key(
        organisation=cast.alice.organisation, created_by=None, name="widget", origins=["example.org"]
    ).value

    assert caller_of(key, kind="websocket", origin="https://example.org").kind == "websocket"
    foreign = refusal_of(key, kind="websocket", origin="https://evil.test")
    missing = refusal_of(key, kind="websocket", origin=None)
    assert (foreign.status, foreign.code) == (403, "foreign_origin")
    assert (missing.status, missing.code) == (403, "foreign_origin")
    assert foreign.message != missing.message


def test_a_widget_can_be_tried_on_our_own_pages_whatever_its_origins(cast: Cast) -> None:
    key = create_websocket_key(
        organisation=cast.alice.organisation, created_by=None, name="widget", origins=["example.org"]
    ).value
    assert caller_of(key, kind="websocket", origin=settings.PUBLIC_URL).kind == "websocket"
    assert refusal_of(key, kind="websocket", origin=f"{settings.PUBLIC_URL}.evil.test").code == "foreign_origin"


def test_an_api_key_restricted_to_origins_does_not_open_on_our_own_pages(cast: Cast) -> None:
    _, key = create_api_key(organisation=cast.alice.organisation, created_by=None, name="page", origins=["example.org"])
    assert refusal_of(key, origin=settings.PUBLIC_URL).code == "foreign_origin"


def test_no_refusal_repeats_the_key(cast: Cast) -> None:
    _, key = api_key_of(cast.alice, networks=["192.0.2.1"])

    for refusal in (refusal_of(key), refusal_of(key, kind="websocket"), refusal_of(key[:-1])):
        assert key[:-1] not in str(refusal.body())


@pytest.mark.django_db(transaction=True)
def test_a_revoked_key_is_refused_on_the_very_next_call(cast: Cast) -> None:
    caller_of(cast.alice.api_key)
    caller_of(cast.alice.websocket_key, kind="websocket")

    revoke_api_key(key=cast.alice.api_key_row)
    revoke_websocket_key(key=cast.alice.websocket_key_row)

    refusal = refusal_of(cast.alice.api_key)
    assert (refusal.status, refusal.code) == (401, "key_revoked")
    assert refusal_of(cast.alice.websocket_key, kind="websocket").code == "key_revoked"
    assert caller_of(cast.bob.api_key).key_id == cast.bob.api_key_row.pk


def test_an_accepted_key_is_looked_up_once(cast: Cast) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for _ in range(5):
            caller_of(cast.alice.api_key)

    assert len(queries) == 1


def test_an_unknown_key_is_looked_up_once(cast: Cast) -> None:
    key = make_websocket_key()

    with CaptureQueriesContext(connection) as queries:
        for _ in range(5):
            refusal_of(key, kind="websocket")

    assert len(queries) == 1


async def test_an_accepted_key_costs_no_thread_and_no_turn_of_the_loop(cast: Cast) -> None:
    headers = {"authorization": cast.alice.api_key}
    first = await authenticate(headers=headers, client_ip=HERE, origin=None, kind="api")
    threads = threading.active_count()

    # A coroutine that never waits ends on its first step.
    with pytest.raises(StopIteration) as stopped:
        authenticate(headers=headers, client_ip=HERE, origin=None, kind="api").send(None)

    assert stopped.value.value == first
    assert threading.active_count() == threads


async def test_many_requests_at_once_with_a_new_key_look_it_up_once(cast: Cast) -> None:
    looked_up: list[str] = []
    real = authentication._rows

    def counted(parsed: Any) -> Any:
        looked_up.append(parsed.digest)
        return real(parsed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(authentication, "_rows", counted)
        headers = {"authorization": cast.alice.api_key}
        callers = await asyncio.gather(
            *(authenticate(headers=headers, client_ip=HERE, origin=None, kind="api") for _ in range(50))
        )

    assert len(set(callers)) == 1
    assert len(looked_up) == 1


def test_it_trusts_no_memory_while_the_broadcast_is_down(cast: Cast, settings: Any) -> None:
    caller_of(cast.alice.api_key)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert not broadcast.healthy

    # As another process would do it, whose message cannot get here.
    ApiKey.objects.filter(pk=cast.alice.api_key_row.pk).update(revoked_at=timezone.now())

    assert refusal_of(cast.alice.api_key).code == "key_revoked"


def test_a_broadcast_of_everything_empties_the_memory(cast: Cast) -> None:
    caller_of(cast.alice.api_key)
    ApiKey.objects.filter(pk=cast.alice.api_key_row.pk).update(revoked_at=timezone.now())
    assert caller_of(cast.alice.api_key).key_id == cast.alice.api_key_row.pk

    broadcast.publish_sync(authentication.TOPIC, broadcast.EVERYTHING)

    assert refusal_of(cast.alice.api_key).code == "key_revoked"


def test_an_accepted_key_counts_as_used_and_a_refused_one_does_not(cast: Cast) -> None:
    _, foreign = api_key_of(cast.alice, networks=["192.0.2.1"])
    caller_of(cast.alice.api_key)
    refusal_of(foreign)

    async_to_sync(last_used.write)()

    used = ApiKey.objects.exclude(last_used_at=None)
    assert list(used) == [cast.alice.api_key_row]


def test_a_key_without_an_expiry_does_not_expire(cast: Cast) -> None:
    assert authentication._entry(cast.alice.api_key_row).expires_at == math.inf
