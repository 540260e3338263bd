"""Which plan an organisation is on, and which period its quota is counted over.

Asked for on every run, so it is remembered in the process until broadcast topic `plan` tells of a change.
"""

import threading
import time
from dataclasses import dataclass
from datetime import datetime

import structlog
from channels.db import database_sync_to_async
from django.db import transaction

from accounts import broadcast
from billing.models import Subscription
from billing.periods import Period, current_month
from billing.plans import FREE, Plan, plan_of

_log = structlog.get_logger("runcode.billing")

TOPIC = "plan"
REMEMBERED = 20_000

REMEMBERED_SECONDS = 60.0
"""A backstop for changes that nobody announces: a restored database, a row mended by hand."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an organisation has bought; `paid` is the paid period, None when it is counted by calendar months."""

    plan: Plan = FREE
    paid: Period | None = None

    @property
    def period(self) -> Period:
        """The period that now belongs to."""
        paid = self.paid
        return paid if paid is not None and time.time() in paid else current_month()


class _Memory:
    """Organisation id -> Standing. Bounded, the oldest entry goes first.

    A look-up that overlaps a change must not put the old state back: `store` takes the generation that was read before
    the look-up began.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._entries: dict[int, tuple[Standing, float]] = {}
        self._writing = threading.Lock()

    def get(self, organisation_id: int) -> Standing | None:
        entry = self._entries.get(organisation_id)
        return entry[0] if entry is not None and time.monotonic() < entry[1] else None

    def store(self, organisation_id: int, standing: Standing, *, generation: int) -> None:
        with self._writing:
            if generation == self.generation:
                self._entries.pop(organisation_id, None)
                self._entries[organisation_id] = (standing, time.monotonic() + REMEMBERED_SECONDS)
                if len(self._entries) > REMEMBERED:
                    del self._entries[next(iter(self._entries))]

    def forget(self, key: str) -> None:
        with self._writing:
            self.generation += 1
            if key == broadcast.EVERYTHING:
                self._entries.clear()
            else:
                self._entries.pop(int(key), None)


_memory = _Memory()
broadcast.subscribe(TOPIC, _memory.forget)


async def plan_for(organisation_id: int) -> Plan:
    """The organisation's plan; FREE without a subscription."""
    return (await standing_of(organisation_id)).plan


async def standing_of(organisation_id: int) -> Standing:
    """The organisation's plan and period, remembered or looked up."""
    if broadcast.healthy and (standing := _memory.get(organisation_id)):
        return standing
    generation = _memory.generation
    looked_up: Standing = await database_sync_to_async(look_up)(organisation_id)
    if broadcast.healthy:
        _memory.store(organisation_id, looked_up, generation=generation)
    return looked_up


def look_up(organisation_id: int) -> Standing:
    """As `standing_of`, always from the database. Blocks."""
    subscription = Subscription.objects.filter(organisation_id=organisation_id).first()
    if subscription is None:
        return Standing()
    try:
        plan = plan_of(subscription.plan_id)
    except KeyError:
        _log.error("a subscription names no plan; it is served as free", plan=subscription.plan_id)
        plan = FREE
    paid = None
    if subscription.period_start and subscription.period_end:
        paid = Period(int(subscription.period_start.timestamp()), int(subscription.period_end.timestamp()))
    return Standing(plan, paid)


def subscribe(
    organisation_id: int, plan: Plan, *, period: tuple[datetime, datetime] | None = None, **stripe_ids: str
) -> Subscription:
    """Puts the organisation on `plan`, from its next run on. `stripe_ids` are fields of Subscription. Blocks."""
    start, end = period or (None, None)
    subscription, _ = Subscription.objects.update_or_create(
        organisation_id=organisation_id,
        defaults={"plan_id": plan.id, "period_start": start, "period_end": end, **stripe_ids},
    )
    announce(organisation_id)
    return subscription


def cancel(organisation_id: int) -> None:
    """Puts the organisation back on the free plan, from its next run on. Blocks."""
    Subscription.objects.filter(organisation_id=organisation_id).delete()
    announce(organisation_id)


def announce(organisation_id: int) -> None:
    """Makes all processes look the plan up anew, once the running transaction is committed."""
    transaction.on_commit(lambda: _publish(organisation_id))


def _publish(organisation_id: int) -> None:
    broadcast.publish_sync(TOPIC, str(organisation_id))
