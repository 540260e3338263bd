import time
from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import broadcast
from billing import subscriptions
from billing.models import Subscription
from billing.periods import Period, current_month
from billing.plans import FREE, PRO, STARTER
from billing.subscriptions import Standing, cancel, look_up, plan_for, standing_of, subscribe
from tests.cast import Cast

NOW = time.time()


async def test_no_subscription_is_the_free_plan(cast: Cast) -> None:
    assert await plan_for(cast.alice.organisation.pk) is FREE
    assert await plan_for(10**9) is FREE


async def test_a_subscription_is_its_organisations_alone(cast: Cast) -> None:
    await sync_to_async(subscribe)(cast.alice.organisation.pk, PRO)
    assert await plan_for(cast.alice.organisation.pk) is PRO
    assert await plan_for(cast.charlie.organisation.pk) is FREE


async def test_a_change_counts_at_once(cast: Cast) -> None:
    organisation_id = cast.alice.organisation.pk
    for plan in (PRO, STARTER, FREE, PRO):
        await sync_to_async(subscribe)(organisation_id, plan)
        assert await plan_for(organisation_id) is plan
    assert await Subscription.objects.acount() == 1
    await sync_to_async(cancel)(organisation_id)
    assert await plan_for(organisation_id) is FREE


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_is_told_to_nobody(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(broadcast._bus, "_callbacks", {subscriptions.TOPIC: [told.append]})
    organisation_id = cast.alice.organisation.pk

    with transaction.atomic():
        subscribe(organisation_id, PRO)
        transaction.set_rollback(True)
    assert told == []

    with transaction.atomic():
        subscribe(organisation_id, PRO)
        assert told == []
    assert told == [str(organisation_id)]


def looked_up(organisation_id: int) -> tuple[Standing, int]:
    with CaptureQueriesContext(connection) as queries:
        standing = look_up(organisation_id)
    return standing, len(queries)


async def test_it_is_looked_up_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    organisation_id = cast.alice.organisation.pk
    assert await plan_for(organisation_id) is FREE

    def refuse(organisation_id: int) -> Standing:
        raise AssertionError("looked up again")

    monkeypatch.setattr(subscriptions, "look_up", refuse)
    assert await plan_for(organisation_id) is FREE
    subscriptions._memory.forget(str(organisation_id))
    with pytest.raises(AssertionError, match="again"):
        await plan_for(organisation_id)


def test_a_look_up_is_one_query(cast: Cast) -> None:
    assert looked_up(cast.alice.organisation.pk) == (Standing(), 1)


async def test_nothing_is_remembered_while_the_broadcast_is_down(cast: Cast, settings: Any) -> None:
    organisation_id = cast.alice.organisation.pk
    settings.REDIS_URL = "unix:///nowhere.sock"
    assert await plan_for(organisation_id) is FREE
    # A change that this process is not told of.
    await Subscription.objects.acreate(organisation_id=organisation_id, plan_id="pro")
    assert await plan_for(organisation_id) is PRO


async def test_a_look_up_overtaken_by_a_change_is_not_remembered(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    organisation_id = cast.alice.organisation.pk

    def overtaken(organisation_id: int) -> Standing:
        standing = look_up(organisation_id)
        subscribe(organisation_id, PRO)
        return standing

    with monkeypatch.context() as patched:
        patched.setattr(subscriptions, "look_up", overtaken)
        assert await plan_for(organisation_id) is FREE
    assert await plan_for(organisation_id) is PRO


async def test_it_is_looked_up_again_after_a_while(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    organisation_id = cast.alice.organisation.pk
    monkeypatch.setattr(subscriptions, "REMEMBERED_SECONDS", 0)
    assert await plan_for(organisation_id) is FREE
    await Subscription.objects.acreate(organisation_id=organisation_id, plan_id="pro")
    assert await plan_for(organisation_id) is PRO


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "REMEMBERED", 3)
    memory = subscriptions._Memory()
    for number in range(10):
        memory.store(number, Standing(), generation=memory.generation)
    assert [memory.get(number) is not None for number in range(10)] == [False] * 7 + [True] * 3
    memory.forget(broadcast.EVERYTHING)
    assert memory.get(9) is None


def test_a_plan_that_is_no_more_is_served_as_free(cast: Cast) -> None:
    Subscription.objects.create(organisation=cast.alice.organisation, plan_id="gold")
    assert look_up(cast.alice.organisation.pk).plan is FREE


def at(moment: float) -> datetime:
    return datetime.fromtimestamp(int(moment), UTC)


async def test_the_paid_period_counts_while_it_lasts(cast: Cast) -> None:
    organisation_id = cast.alice.organisation.pk
    await sync_to_async(subscribe)(organisation_id, PRO, period=(at(NOW - 100), at(NOW + 10_000)))
    standing = await standing_of(organisation_id)
    assert standing.period == Period(int(NOW - 100), int(NOW + 10_000))

    await sync_to_async(subscribe)(organisation_id, PRO, period=(at(NOW - 200), at(NOW - 100)))
    assert (await standing_of(organisation_id)).period == current_month()


@pytest.mark.parametrize("period", [(at(NOW), at(NOW)), (at(NOW), at(NOW - 1))])
def test_a_period_that_ends_before_it_begins_is_refused(cast: Cast, period: tuple[datetime, datetime]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        subscribe(cast.alice.organisation.pk, PRO, period=period)


def test_a_stripe_subscription_belongs_to_one_organisation(cast: Cast) -> None:
    subscribe(cast.alice.organisation.pk, PRO, stripe_subscription_id="sub_1")
    with pytest.raises(IntegrityError), transaction.atomic():
        subscribe(cast.charlie.organisation.pk, PRO, stripe_subscription_id="sub_1")
    subscribe(cast.charlie.organisation.pk, PRO)
    assert str(cast.alice.organisation.subscription) == f"{cast.alice.organisation}: Pro"
