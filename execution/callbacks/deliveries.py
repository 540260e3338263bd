"""The rows of deliveries: which are due, and what an attempt changes. All of this blocks."""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Organisation
from execution.bells import deliveries_due
from execution.callbacks.endpoints import DELIVERY_PATIENCE, pause
from execution.callbacks.pause_mail import tell_owners
from execution.callbacks.sending import TOTAL_SECONDS, Attempted
from execution.models import Delivery, DeliveryAttempt, Endpoint

LEASE: Final = timedelta(seconds=TOTAL_SECONDS + 8)
"""Who takes a delivery moves its next attempt so far ahead: past the end of this one, whatever the endpoint does."""

AT_ONCE: Final = 4
"""Attempts at one endpoint at once: a slow one holds up its own deliveries and nobody else's."""

FIRST_WAIT, LONGEST_WAIT = 2.0, 2 * 3600.0
"""Seconds between attempts: doubled with each, up to the longest; of each a random half is left out (jitter)."""

DEAD_AFTER_FAILURES: Final = 20
DEAD_AFTER: Final = timedelta(hours=24)
"""An endpoint that failed so often, for so long, and accepted nothing meanwhile, is paused."""


def due() -> int:
    """How many deliveries are due now."""
    return _due().count()


def claim(most: int, under_way: Mapping[int, int]) -> list[Delivery]:
    """Takes up to `most` deliveries that are due; `under_way` are the attempts at each endpoint (its id) already."""
    busy = Counter(under_way)
    full = [endpoint for endpoint, number in busy.items() if number >= AT_ONCE]
    taken: list[Delivery] = []
    for delivery in _due().exclude(endpoint_id__in=full).order_by("next_attempt_at", "pk")[:most]:
        if busy[delivery.endpoint_id] >= AT_ONCE:
            continue
        # Unless another worker was faster.
        if Delivery.objects.filter(
            pk=delivery.pk, state=Delivery.State.PENDING, next_attempt_at=delivery.next_attempt_at
        ).update(next_attempt_at=timezone.now() + LEASE, attempts_made=F("attempts_made") + 1):
            delivery.attempts_made += 1
            busy[delivery.endpoint_id] += 1
            taken.append(delivery)
    return taken


def record(delivery: Delivery, url: str, attempted: Attempted) -> None:
    """Notes an attempt, and what follows from it for the delivery and its endpoint."""
    with transaction.atomic():
        DeliveryAttempt.objects.create(
            delivery=delivery,
            url=url,
            status=attempted.status,
            cause=attempted.cause,
            seconds=attempted.seconds,
        )
        if attempted.accepted:
            _accepted(delivery)
            return
        _failed(delivery, attempted)
        because = _reason_to_pause(delivery.endpoint_id, attempted)
        if because and pause(delivery.endpoint, because):
            transaction.on_commit(lambda: tell_owners(delivery.endpoint, because))


def resend(delivery: Delivery) -> None:
    """Sends it again, now and for another day if need be. The message is the same, its id too."""
    now = timezone.now()
    Delivery.objects.filter(pk=delivery.pk).update(
        state=Delivery.State.PENDING, next_attempt_at=now, give_up_at=now + DELIVERY_PATIENCE
    )
    transaction.on_commit(deliveries_due.ring)


def wait_before(attempt: int) -> float:
    """Seconds from the failure of the attempt of that number (the first is 1) to the next one."""
    longest = min(FIRST_WAIT * 2.0 ** min(attempt - 1, 30), LONGEST_WAIT)
    return longest * random.uniform(0.5, 1)  # noqa: S311 (spreads load, guards nothing)


def _due() -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        state=Delivery.State.PENDING, next_attempt_at__lte=timezone.now(), endpoint__paused_at=None
    ).select_related("endpoint__key")


def _accepted(delivery: Delivery) -> None:
    columns: dict[str, object] = {"state": Delivery.State.DELIVERED, "delivered_at": timezone.now()}
    if not Organisation.objects.filter(pk=delivery.organisation_id, keep_outputs=True).exists():
        columns["body"] = b""
    Delivery.objects.filter(pk=delivery.pk).update(**columns)
    failing = Endpoint.objects.filter(pk=delivery.endpoint_id, failures__gt=0)
    failing.update(failures=0, failing_since=None)


def _failed(delivery: Delivery, attempted: Attempted) -> None:
    now = timezone.now()
    next_attempt_at = now + timedelta(seconds=max(wait_before(delivery.attempts_made), attempted.retry_after))
    columns: dict[str, object] = {"next_attempt_at": next_attempt_at}
    if attempted.gone or next_attempt_at > delivery.give_up_at:
        columns["state"] = Delivery.State.FAILED
    Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.PENDING).update(**columns)
    Endpoint.objects.filter(pk=delivery.endpoint_id).update(
        failures=F("failures") + 1, failing_since=Coalesce(F("failing_since"), now)
    )


def _reason_to_pause(endpoint_id: int, attempted: Attempted) -> str:
    """Why nothing more should be sent there; empty when there is no reason."""
    if attempted.gone:
        return "It answered 410 Gone, which says that it wants no more."
    endpoint = Endpoint.objects.get(pk=endpoint_id)
    since = endpoint.failing_since
    if endpoint.failures >= DEAD_AFTER_FAILURES and since is not None and timezone.now() - since >= DEAD_AFTER:
        return (
            f"All {endpoint.failures:,} attempts since {since:%d %B %Y %H:%M} UTC failed. The last: {attempted.cause}"
        )
    return ""
