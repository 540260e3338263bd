"""Writes charges to the database: each once, and the period's count in the same transaction. All of it blocks."""

from collections import Counter
from collections.abc import Collection, Sequence
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction

from accounts.models import Organisation
from billing.charges import Charge
from billing.models import RunCharge, UsagePeriod
from billing.periods import Period

_log = structlog.get_logger("runcode.billing")

_ATTEMPTS = 3

Key = tuple[int, int]
"""An organisation's id and the start of a period."""

Totals = dict[Key, int]
"""How many runs are billed, by all processes, in these periods."""


def record(charges: Sequence[Charge]) -> Totals:
    """Bills what is not billed yet; returns the totals of all periods concerned.

    Recording a charge again changes nothing. Charges of a deleted organisation are dropped, as its whole bill was.
    Raises django.db.Error; then nothing was written.
    """
    by_run = {charge.run_id: charge for charge in charges}
    attempts = _ATTEMPTS
    while True:
        attempts -= 1
        try:
            with transaction.atomic():
                return _record(by_run.values())
        except IntegrityError:
            # Between the look and the write, another process wrote one of these charges or removed an organisation.
            if not attempts:
                raise


def total_of(organisation_id: int, period: Period) -> int:
    """How many runs are billed in this period."""
    usage = UsagePeriod.objects.filter(organisation_id=organisation_id, start=period.starts_at)
    return usage.values_list("runs", flat=True).first() or 0


def was_billed(run_id: UUID) -> bool:
    """Whether the run is in the ledger."""
    return RunCharge.objects.filter(pk=run_id).exists()


def _record(charges: Collection[Charge]) -> Totals:
    wanted = {charge.organisation_id for charge in charges}
    living = set(Organisation.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    if gone := wanted - living:
        _log.warning("runs of deleted organisations are not billed", organisations=sorted(gone))
    charges = [charge for charge in charges if charge.organisation_id in living]
    periods = _locked_periods(charges)
    billed = set(RunCharge.objects.filter(pk__in=[charge.run_id for charge in charges]).values_list("pk", flat=True))
    new = [charge for charge in charges if charge.run_id not in billed]
    RunCharge.objects.bulk_create([_row(charge) for charge in new])
    more = Counter(map(_key, new))
    for key, number in more.items():
        periods[key].runs += number
        periods[key].save(update_fields=["runs"])
    return {key: usage.runs for key, usage in periods.items()}


def _locked_periods(charges: Collection[Charge]) -> dict[Key, UsagePeriod]:
    """The rows of all periods concerned, made where missing, locked in one order: so two processes never deadlock."""
    periods = {_key(charge): charge.period for charge in charges}
    UsagePeriod.objects.bulk_create(
        [
            UsagePeriod(organisation_id=organisation_id, start=period.starts_at, end=period.ends_at)
            for (organisation_id, _), period in periods.items()
        ],
        ignore_conflicts=True,
    )
    locked = UsagePeriod.objects.select_for_update()
    return {key: locked.get(organisation_id=key[0], start=periods[key].starts_at) for key in sorted(periods)}


def _key(charge: Charge) -> Key:
    return charge.organisation_id, charge.period.start


def _row(charge: Charge) -> RunCharge:
    usage = charge.usage
    return RunCharge(
        id=charge.run_id,
        organisation_id=charge.organisation_id,
        period_start=charge.period.starts_at,
        key_id=charge.key_id,
        key_kind=charge.key_kind,
        compiler=usage.compiler,
        outcome=usage.outcome,
        started_at=usage.started_at,
        wall_seconds=usage.wall_seconds,
        cpu_seconds=usage.cpu_seconds,
        memory_bytes=usage.memory_bytes,
    )
