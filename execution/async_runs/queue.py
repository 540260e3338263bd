"""The queue is the table of runs: taken by a conditional UPDATE, under a lease. All of this blocks.

A row that is taken carries the number of the attempt. Whoever records something about it names that number, so that
a worker whose lease lapsed while it was slow cannot write over what the next one does.

Leases are compared with the clock of whoever looks: the machines of an installation should agree to a second or two.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Final

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from execution.models import Run

LEASE_SECONDS: Final = 15


def waiting_of(organisation_id: int, *, most: int) -> int:
    """How many asynchronous runs of an organisation wait, counted up to `most`."""
    return Run.objects.filter(organisation_id=organisation_id, status=Run.Status.QUEUED).order_by()[:most].count()


def claim(worker: str, *, after: int) -> Run | None:
    """Takes the oldest waiting run of the organisation that comes after `after`, by its id, or of the first.

    Whoever passes the organisation of the run before serves all organisations in turn, however many runs of one wait.
    """
    return _claim(worker, Q(organisation_id__gt=after)) or _claim(worker, Q(organisation_id__lte=after))


def _claim(worker: str, which: Q) -> Run | None:
    waiting = Run.objects.filter(which, status=Run.Status.QUEUED).order_by("organisation_id", "pk")
    # Another worker may be faster each time; each time there is one less.
    while (pk := waiting.values_list("pk", flat=True).first()) is not None:
        now = timezone.now()
        taken = Run.objects.filter(pk=pk, status=Run.Status.QUEUED).update(
            status=Run.Status.RUNNING,
            worker=worker,
            leased_until=now + timedelta(seconds=LEASE_SECONDS),
            attempts=F("attempts") + 1,
            started_at=now,
        )
        if taken:
            return Run.objects.filter(pk=pk, worker=worker).first()
    return None


def renew(worker: str, runs: Collection[int]) -> None:
    """Prolongs the leases of a worker's runs."""
    until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
    Run.objects.filter(pk__in=runs, worker=worker, status=Run.Status.RUNNING).update(leased_until=until)


def give_back(run: Run) -> None:
    """Puts a run that was taken and not carried out back into the queue."""
    _mine(run).filter(status=Run.Status.RUNNING).update(status=Run.Status.QUEUED, worker="", leased_until=None)


def leave(worker: str) -> None:
    """Puts back what a worker that ends has taken and not begun."""
    mine = Run.objects.filter(worker=worker, status=Run.Status.RUNNING)
    mine.update(status=Run.Status.QUEUED, worker="", leased_until=None)


def requeue_lapsed() -> int:
    """Puts the runs of dead workers back into the queue; returns how many."""
    lapsed = Run.objects.filter(status=Run.Status.RUNNING, leased_until__lt=timezone.now())
    return lapsed.update(status=Run.Status.QUEUED, worker="", leased_until=None)


def forgotten(*, seconds: float, most: int) -> int:
    """How many runs have waited for longer than that, counted up to `most`."""
    before = timezone.now() - timedelta(seconds=seconds)
    return Run.objects.filter(status=Run.Status.QUEUED, created_at__lt=before).order_by()[:most].count()


def to_cancel(runs: Iterable[int]) -> list[int]:
    """Those of `runs` that somebody wants to be ended."""
    return list(Run.objects.filter(pk__in=runs, cancel_requested=True).values_list("pk", flat=True))


def end(run: Run, status: Run.Status, **columns: object) -> bool:
    """Records how a run ended. False when that is not this worker's to say any more, or said already.

    A run that went back into the queue and that nobody took since is still its last worker's.
    """
    return bool(
        _mine(run)
        .filter(status__in=(Run.Status.RUNNING, Run.Status.QUEUED))
        .update(status=status, finished_at=timezone.now(), worker="", leased_until=None, **columns)
    )


def _mine(run: Run) -> QuerySet[Run]:
    return Run.objects.filter(pk=run.pk, attempts=run.attempts)
