"""Takes out of the history what is older than its organisation's plan keeps: `history_days`.

Each web process looks once an hour; two that look together remove the same rows, which harms nobody. Ids follow time
closely enough that the oldest rows are those of the lowest ids, so looking costs little where nothing is to go.
"""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Final

import structlog
from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import Organisation
from billing.models import Subscription
from billing.plans import FREE, PLANS
from execution.models import Batch, Run

_log = structlog.get_logger("runcode.history")

EVERY_SECONDS: Final = 3600.0
CHUNK: Final = 500
"""How many rows go in one transaction: a few milliseconds, so that no run waits for it."""


async def keep_expiring() -> None:
    """The background task of a web process."""
    while True:
        # Not all processes of an installation at once, and not in the rush of a start.
        await asyncio.sleep(EVERY_SECONDS * random.uniform(0.05, 1))  # noqa: S311
        try:
            if removed := await expire():
                _log.info("history expired", rows=removed)
        except (DatabaseError, InterfaceError) as error:
            _log.warning("history does not expire", error=type(error).__name__)


async def expire() -> int:
    """Removes what has expired; returns how many runs and batches that were."""
    removed = 0
    for organisation_id, days in await database_sync_to_async(_organisations)():
        before = timezone.now() - timedelta(days=days)
        for rows in (Run, Batch):
            while chunk := await database_sync_to_async(_remove)(rows, organisation_id, before):
                removed += chunk
    return removed


def _organisations() -> list[tuple[int, int]]:
    """Each organisation that has a history, and the days that its plan keeps."""
    days = {plan.id: plan.history_days for plan in PLANS}
    plans = dict(Subscription.objects.values_list("organisation_id", "plan_id"))
    having = Organisation.objects.filter(
        Exists(Run.objects.filter(organisation=OuterRef("pk")))
        | Exists(Batch.objects.filter(organisation=OuterRef("pk")))
    )
    return [(pk, days.get(plans.get(pk, FREE.id), FREE.history_days)) for pk in having.values_list("pk", flat=True)]


def _remove(rows: type[Run] | type[Batch], organisation_id: int, before: datetime) -> int:
    """Removes a chunk of the oldest; 0 when none of them is old enough. What has not ended yet is left."""
    of_organisation = rows._default_manager.filter(organisation_id=organisation_id).order_by("pk")
    oldest = of_organisation.values_list("pk", "created_at", "status")[:CHUNK]
    expired = [pk for pk, created_at, status in oldest if created_at < before and status in ("finished", "cancelled")]
    # Cases go with their batch, also those that were run later than the oldest single run that stays.
    rows._default_manager.filter(pk__in=expired).delete()
    return len(expired)
