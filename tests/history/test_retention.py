"""What is older than the plan keeps goes, and nothing else."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from billing import subscriptions
from billing.plans import FREE, STARTER
from execution import history_retention
from execution.history_retention import expire
from execution.models import Batch, Run
from tests.cast import Cast, Person
from tests.history.conftest import MakeRun


def remove() -> int:
    removed: int = async_to_sync(expire)()
    return removed


def make_batch(person: Person, **fields: object) -> Batch:
    return Batch.objects.create(
        organisation=person.organisation, key_id=1, key_kind="api", compiler="gcc-15", tests=1, **fields
    )


def test_each_organisation_keeps_as_long_as_its_plan(cast: Cast, make_run: MakeRun) -> None:
    subscriptions.subscribe(cast.charlie.organisation.pk, STARTER)
    ages = [0, FREE.history_days - 1, FREE.history_days + 1, STARTER.history_days + 1]
    for person in (cast.alice, cast.charlie):
        for days in reversed(ages):
            make_run(person, created_at=timezone.now() - timedelta(days=days))
    assert remove() == 3
    assert cast.alice.organisation.runs.count() == 2
    assert cast.charlie.organisation.runs.count() == 3
    assert remove() == 0


def test_more_than_one_chunk_goes(cast: Cast, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_retention, "CHUNK", 2)
    old = timezone.now() - timedelta(days=100)
    for created_at in (old, old, old, old, old, timezone.now()):
        make_run(cast.alice, created_at=created_at)
    assert remove() == 5
    assert Run.objects.count() == 1


@pytest.mark.parametrize("status", ["queued", "running"])
def test_what_has_not_ended_stays(cast: Cast, make_run: MakeRun, status: str) -> None:
    make_run(cast.alice, status=status, created_at=timezone.now() - timedelta(days=100))
    assert remove() == 0


def test_cases_go_with_their_batch(cast: Cast, make_run: MakeRun) -> None:
    old = timezone.now() - timedelta(days=100)
    batch = make_batch(cast.alice, status="finished", created_at=old)
    make_run(cast.alice, batch=batch, position=0)
    other = make_batch(cast.alice, status="finished")
    kept = make_run(cast.alice, batch=other, position=0)
    assert remove() == 1
    assert list(Batch.objects.all()) == [other]
    assert list(Run.objects.all()) == [kept]
