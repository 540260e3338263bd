"""What an organisation has used of its plan, exact at the moment of asking: runs not yet in the database count too."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from accounts.ratelimits import Limiter, LimiterUnavailable, RedisLimiter
from billing.metering import current_metering
from billing.models import RunCharge, UsagePeriod
from billing.names import CONNECTIONS, run_quota, scope_of
from billing.orphans import pending_charges
from billing.periods import Period
from billing.plans import Plan
from billing.subscriptions import look_up

_log = structlog.get_logger("runcode.billing")


@dataclass(frozen=True, slots=True)
class Usage:
    """Runs of the period so far, and open WebSocket connections. `connections` is None while it cannot be told."""

    plan: Plan
    runs_used: int
    period_start: datetime
    period_end: datetime
    connections: int | None

    @property
    def runs_left(self) -> int:
        return max(self.plan.runs_per_month - self.runs_used, 0)

    @property
    def connection_limit(self) -> int:
        return self.plan.concurrent_connections


def usage_of(organisation_id: int) -> Usage:
    """Asks the database, the journals of this RUNCODE_HOME and the limiter. Blocks."""
    standing = look_up(organisation_id)
    period = standing.period
    # The journals before the database: a run that moves over meanwhile is then seen twice, and told by its id.
    pending = {
        charge.run_id
        for charge in pending_charges(settings.RUNCODE_HOME / "journal")
        if charge.organisation_id == organisation_id and charge.period.start == period.start
    }
    connections: int | None = 0
    with _limiter() as limiter:
        if limiter is not None:
            scope = scope_of(organisation_id)
            try:
                # Those of other machines, whose journals are not here.
                pending |= {UUID(hex=member) for member in limiter.pinned(scope, run_quota(period))}
                connections = limiter.count(scope, CONNECTIONS)
            except LimiterUnavailable as error:
                _log.warning("usage is told without the limiter", error=str(error))
                connections = None
    return Usage(
        plan=standing.plan,
        runs_used=_billed_or_pending(organisation_id, period, pending),
        period_start=period.starts_at,
        period_end=period.ends_at,
        connections=connections,
    )


async def ausage_of(organisation_id: int) -> Usage:
    """`usage_of` from an event loop."""
    usage: Usage = await database_sync_to_async(usage_of)(organisation_id)
    return usage


def _billed_or_pending(organisation_id: int, period: Period, pending: set[UUID]) -> int:
    # One statement, so that the count and what is in it belong to the same moment.
    billed = RunCharge.objects.filter(organisation_id=OuterRef("organisation_id"), pk__in=pending).order_by()
    known = Subquery(billed.values("organisation_id").annotate(number=Count("pk")).values("number"))
    row = (
        UsagePeriod.objects.filter(organisation_id=organisation_id, start=period.starts_at)
        .annotate(known=Coalesce(known, 0))
        .values_list("runs", "known")
        .first()
    )
    runs, already = row or (0, 0)
    return runs + len(pending) - already


@contextmanager
def _limiter() -> Iterator[Limiter | None]:
    """This process' limiter; without one, a client of the shared one; None where there is nothing to ask."""
    running = current_metering()
    if running is not None:
        yield running.limiter
    elif settings.REDIS_URL:
        limiter = RedisLimiter(settings.REDIS_URL)
        try:
            yield limiter
        finally:
            limiter.close_blocking()
    else:
        yield None
