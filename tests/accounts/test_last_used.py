import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import last_used
from accounts.caller import Caller
from accounts.key_lifecycle import create_api_key
from tests.cast import Cast


def api(key_id: int) -> Caller:
    return Caller(organisation_id=1, key_id=key_id, kind="api")


def write() -> None:
    async_to_sync(last_used.write)()


def test_it_stores_the_last_use_of_each_key(cast: Cast) -> None:
    key, socket_key = cast.alice.api_key_row, cast.bob.websocket_key_row
    before = timezone.now()
    last_used.record(api(key.pk))
    last_used.record(Caller(1, socket_key.pk, "websocket"))

    write()

    for row in (key, socket_key):
        row.refresh_from_db()
        assert row.last_used_at is not None
        assert before <= row.last_used_at <= timezone.now()
    cast.charlie.api_key_row.refresh_from_db()
    assert cast.charlie.api_key_row.last_used_at is None


def test_many_keys_are_one_statement(cast: Cast) -> None:
    for number in range(20):
        row, _ = create_api_key(organisation=cast.alice.organisation, created_by=None, name=str(number))
        for _ in range(3):
            last_used.record(api(row.pk))

    with CaptureQueriesContext(connection) as queries:
        write()
        write()

    assert len(queries) == 1
    assert cast.alice.organisation.api_keys.exclude(last_used_at=None).count() == 20


def test_more_keys_than_a_statement_takes_are_several(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_used, "KEYS_PER_STATEMENT", 2)
    for person in (cast.alice, cast.bob, cast.charlie):
        last_used.record(api(person.api_key_row.pk))

    write()

    assert not type(cast.alice.api_key_row).objects.filter(last_used_at=None).exists()


def test_the_time_never_runs_backwards(cast: Cast) -> None:
    key = cast.alice.api_key_row
    later = timezone.now() + timedelta(hours=1)
    type(key).objects.filter(pk=key.pk).update(last_used_at=later)
    last_used.record(api(key.pk))

    write()

    key.refresh_from_db()
    assert key.last_used_at == later


def test_a_failed_write_loses_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    key = cast.alice.api_key_row
    last_used.record(api(key.pk))

    def refuse(*args: Any) -> None:
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(last_used, "_store", refuse)
        with pytest.raises(DatabaseError):
            write()
    write()

    key.refresh_from_db()
    assert key.last_used_at is not None


async def test_the_background_task_writes_again_and_again_and_at_its_end(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_used, "WRITE_SECONDS", 0.02)
    key, other = cast.alice.api_key_row, cast.bob.api_key_row
    failures = 1
    real = last_used._store

    def unsteady(*args: Any) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise DatabaseError
        real(*args)

    monkeypatch.setattr(last_used, "_store", unsteady)
    task = asyncio.create_task(last_used.keep_writing())
    last_used.record(api(key.pk))
    deadline = time.monotonic() + 10
    while key.last_used_at is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
        await key.arefresh_from_db()

    monkeypatch.setattr(last_used, "WRITE_SECONDS", 60)
    await asyncio.sleep(0.05)
    last_used.record(api(other.pk))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await other.arefresh_from_db()
    assert other.last_used_at is not None
