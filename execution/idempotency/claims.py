"""The rows behind it: who may carry a named request out, and what was answered. Each function is one short step."""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.caller import Caller
from execution.models import IdempotentRequest

LEASE_SECONDS: Final = 15.0
"""How long a request stays claimed when its process dies. It is renewed three times as often while it runs."""

A_DAY: Final = timedelta(hours=24)

# A row may be removed or taken between two looks at it; more than once in a row that is somebody else's doing.
_ATTEMPTS: Final = 5
_FASTEST: Final = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry a request out."""

    row_id: int
    holder: UUID
    run_id: UUID


@dataclass(frozen=True, slots=True)
class Kept:
    """A request of this name that is somebody else's, or was answered. `status` None: it is still being carried out."""

    fingerprint: str
    status: int | None
    body: bytes


def claim(caller: Caller, name: str, fingerprint: str) -> Claim | Kept:
    """Takes the request if it is new, if its day is over, or if whoever had it died; else tells how it stands."""
    of_caller = IdempotentRequest.objects.filter(
        organisation_id=caller.organisation_id, key_id=caller.key_id, name=name
    )
    for _ in range(_ATTEMPTS):
        if made := _made(caller, name, fingerprint):
            return made
        row = of_caller.first()
        if row is None:
            continue
        if row.created_at <= timezone.now() - A_DAY and (row.status is not None or row.leased_until <= timezone.now()):
            of_caller.filter(pk=row.pk, holder=row.holder).delete()
        elif row.fingerprint != fingerprint or row.status is not None or row.leased_until > timezone.now():
            return Kept(row.fingerprint, row.status, b"" if row.body is None else zlib.decompress(row.body))
        elif taken := _taken(row):
            return taken
    return Kept(fingerprint, None, b"")


def _made(caller: Caller, name: str, fingerprint: str) -> Claim | None:
    try:
        with transaction.atomic():
            row = IdempotentRequest.objects.create(
                organisation_id=caller.organisation_id,
                key_id=caller.key_id,
                name=name,
                fingerprint=fingerprint,
                leased_until=_lease(),
            )
    except IntegrityError:
        return None
    return Claim(row.pk, row.holder, row.run_uuid)


def _taken(row: IdempotentRequest) -> Claim | None:
    holder = uuid4()
    untouched = IdempotentRequest.objects.filter(pk=row.pk, holder=row.holder, status=None)
    lapsed = untouched.filter(leased_until=row.leased_until)
    return Claim(row.pk, holder, row.run_uuid) if lapsed.update(holder=holder, leased_until=_lease()) else None


def renew(held: Claim) -> None:
    IdempotentRequest.objects.filter(pk=held.row_id, holder=held.holder, status=None).update(leased_until=_lease())


def keep(held: Claim, status: int, body: bytes) -> None:
    """Stores the answer, for whoever sends the request again."""
    IdempotentRequest.objects.filter(pk=held.row_id, holder=held.holder).update(
        status=status, body=zlib.compress(body, _FASTEST)
    )


def drop(held: Claim) -> None:
    """Forgets a request that was refused."""
    IdempotentRequest.objects.filter(pk=held.row_id, holder=held.holder, status=None).delete()


def let_go(held: Claim) -> None:
    """Leaves a request that has no answer to the next attempt, at once."""
    IdempotentRequest.objects.filter(pk=held.row_id, holder=held.holder, status=None).update(
        leased_until=timezone.now()
    )


def expire(*, most: int) -> int:
    """Removes up to `most` rows whose day is over; returns how many those were."""
    over = IdempotentRequest.objects.filter(created_at__lte=timezone.now() - A_DAY, leased_until__lte=timezone.now())
    expired = list(over.order_by("created_at").values_list("pk", flat=True)[:most])
    IdempotentRequest.objects.filter(pk__in=expired).delete()
    return len(expired)


def _lease() -> datetime:
    return timezone.now() + timedelta(seconds=LEASE_SECONDS)
