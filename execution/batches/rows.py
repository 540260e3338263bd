"""A batch and its cases as rows. All of this blocks.

As with single runs, whoever takes a batch holds it under a lease, and the number of the attempt tells a slow worker
that the batch is not its own any more.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from accounts.caller import Caller
from execution.batch_requests import BatchRequest
from execution.batches.answers import summary, tests_of
from execution.batches.cases import Ending
from execution.batches.judging import Judged
from execution.callbacks.creation import deliver
from execution.history import outputs_kept
from execution.models import Batch, Run
from execution.models.packing import pack
from execution.models.results import columns_of
from execution.verdicts import Verdict

LEASE_SECONDS: Final = 15
MOST_ATTEMPTS: Final = 20

_OPEN: Final = (Batch.Status.QUEUED, Batch.Status.RUNNING)


class NotMine(Exception):
    """Another worker has taken the batch since, or it has ended."""


def queue(caller: Caller, data: dict[str, Any], request: BatchRequest, *, uuid: UUID) -> Batch:
    """A batch as a row that waits; the one of that uuid where there is one. `data` is the body that `request` is of."""
    return Batch.objects.filter(uuid=uuid).first() or _create(caller, data, request, uuid=uuid)


def begin(caller: Caller, data: dict[str, Any], request: BatchRequest, *, uuid: UUID, worker: str) -> Batch:
    """A batch as a row that `worker` holds the lease of, in the place of one of that uuid which came to no answer."""
    now = timezone.now()
    until = now + timedelta(seconds=LEASE_SECONDS)
    with transaction.atomic():
        Batch.objects.filter(uuid=uuid).delete()
        return _create(
            caller,
            data,
            request,
            uuid=uuid,
            status=Batch.Status.RUNNING,
            worker=worker,
            attempts=1,
            started_at=now,
            leased_until=until,
        )


def _create(caller: Caller, data: dict[str, Any], request: BatchRequest, *, uuid: UUID, **columns: Any) -> Batch:
    extra_params = data.get("extra_params")
    return Batch.objects.create(
        uuid=uuid,
        organisation_id=caller.organisation_id,
        key_id=caller.key_id,
        key_kind=caller.kind,
        compiler=request.program.compiler.id,
        asynchronous=request.asynchronous,
        callback=request.callback,
        tests=len(request.cases),
        request=pack({name: value for name, value in data.items() if name != "extra_params"}),
        extra_params=None if extra_params is None else pack(extra_params),
        **columns,
    )


def claim(worker: str) -> Batch | None:
    """Takes an asynchronous batch that waits, or whose worker died: of an organisation that has none running, if there
    is one, and of these the oldest. None when nothing waits."""
    now = timezone.now()
    busy = Batch.objects.filter(status=Batch.Status.RUNNING, asynchronous=True, leased_until__gte=now)
    waiting = Batch.objects.filter(
        Q(status=Batch.Status.QUEUED) | Q(status=Batch.Status.RUNNING, leased_until__lt=now), asynchronous=True
    ).order_by("pk")
    for choice in (waiting.exclude(organisation__in=busy.values("organisation")), waiting):
        for batch in choice[:10]:
            taken = Batch.objects.filter(pk=batch.pk, attempts=batch.attempts, status=batch.status).update(
                status=Batch.Status.RUNNING,
                worker=worker,
                leased_until=now + timedelta(seconds=LEASE_SECONDS),
                attempts=F("attempts") + 1,
                started_at=batch.started_at or now,
            )
            if taken:
                batch.refresh_from_db()
                return batch
    return None


def give_back(batch: Batch) -> None:
    """Puts a batch whose worker stops back, for another or the next start."""
    _mine(batch).update(status=Batch.Status.QUEUED, worker="", leased_until=None)


def end_lapsed() -> int:
    """Ends the batches whose client waited for a server that died; returns how many."""
    lapsed = Batch.objects.filter(status=Batch.Status.RUNNING, asynchronous=False, leased_until__lt=timezone.now())
    # SQLite takes its one write lock even for an update of nothing.
    if not lapsed.exists():
        return 0
    return lapsed.update(
        status=Batch.Status.CANCELLED,
        worker="",
        leased_until=None,
        finished_at=timezone.now(),
        refusal_code="sandbox_unavailable",
        refusal="The server stopped while this batch ran; send it again.",
    )


def open_of(organisation_id: int) -> tuple[int, int]:
    """How many asynchronous batches of an organisation have not ended, and how many of their tests."""
    waiting = Batch.objects.filter(organisation_id=organisation_id, status__in=_OPEN, asynchronous=True).order_by()
    figures = waiting.aggregate(batches=Count("pk"), tests=Sum(F("tests") - F("done"), default=0))
    return figures["batches"], figures["tests"]


def done(batch: Batch) -> set[int]:
    """The positions of the cases that are rows already."""
    return {position for position in batch.cases.values_list("position", flat=True) if position is not None}


def record(batch: Batch, cases: Sequence[Judged], *, keep_outputs: bool) -> bool:
    """Writes these cases, and prolongs the lease. True when the batch is to be cancelled. Raises NotMine."""
    with transaction.atomic():
        Run.objects.bulk_create([_row(batch, case, keep_outputs) for case in cases], ignore_conflicts=True)
        until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
        if not _mine(batch).update(leased_until=until, **_counts(batch)):
            raise NotMine
    return Batch.objects.filter(pk=batch.pk, cancel_requested=True).exists()


def finish(batch: Batch, ending: Ending, *, judged: int, keep_sources: bool) -> None:
    """Records how the batch ended, whose output is judged in so many cases. Raises NotMine."""
    columns: dict[str, Any] = {"status": Batch.Status.FINISHED, "checker_error": ending.checker_error}
    if judged:
        columns["score"] = round(_counts(batch)["accepted"] / judged, 4)
    if ending.error is not None:
        columns |= {"refusal_code": ending.error.code, "refusal": ending.error.message}
    with transaction.atomic():
        _end(batch, keep_sources=keep_sources, **columns)
        if batch.callback:
            body = {**summary(batch), "results": tests_of(batch)}
            deliver(key_id=batch.key_id, webhook_id=f"msg_{batch.uuid.hex}", body=body, batch=batch)


def cancel(batch: Batch, *, keep_sources: bool = True) -> None:
    """Records that the batch was ended on its owner's wish, or because its client went away. Raises NotMine."""
    _end(batch, keep_sources=keep_sources, status=Batch.Status.CANCELLED)


def request_cancel(batch: Batch) -> None:
    """A batch that waits never runs; one that runs is ended by its worker within a second or so. Read anew."""
    now = timezone.now()
    queued = Batch.objects.filter(pk=batch.pk, status=Batch.Status.QUEUED)
    if not queued.update(status=Batch.Status.CANCELLED, cancel_requested=True, finished_at=now):
        Batch.objects.filter(pk=batch.pk, status=Batch.Status.RUNNING).update(cancel_requested=True)
        queued.update(status=Batch.Status.CANCELLED, cancel_requested=True, finished_at=now)
    batch.refresh_from_db()


def _end(batch: Batch, *, keep_sources: bool, **columns: Any) -> None:
    if not keep_sources:
        columns["request"] = None
    first = batch.cases.filter(position=0).values_list("compile_output", flat=True).first()
    verdict = _verdict(batch)
    ended = _mine(batch).update(
        finished_at=timezone.now(),
        worker="",
        leased_until=None,
        verdict=verdict,
        compile_output=first,
        **_counts(batch),
        **columns,
    )
    if not ended:
        raise NotMine
    batch.refresh_from_db()


def _verdict(batch: Batch) -> str:
    """That of the first case that failed; else accepted, when there was something to judge."""
    judged = batch.cases.exclude(verdict="").order_by("position").values_list("verdict", flat=True)
    return judged.exclude(verdict=Verdict.ACCEPTED).first() or judged.first() or ""


def _counts(batch: Batch) -> dict[str, int]:
    accepted = Count("pk", filter=Q(verdict=Verdict.ACCEPTED))
    return batch.cases.order_by().aggregate(done=Count("pk"), accepted=accepted)


def _mine(batch: Batch) -> QuerySet[Batch]:
    return Batch.objects.filter(pk=batch.pk, attempts=batch.attempts, status__in=_OPEN)


def _row(batch: Batch, case: Judged, keep_outputs: bool) -> Run:
    columns = columns_of(case.result) | {"files": None}
    return Run(
        uuid=case.run_id,
        organisation_id=batch.organisation_id,
        key_id=batch.key_id,
        key_kind=batch.key_kind,
        surface=Run.Surface.BATCH,
        compiler=batch.compiler,
        status=Run.Status.FINISHED,
        batch=batch,
        position=case.position,
        verdict=case.verdict or "",
        checker_output=case.checker_output if keep_outputs else None,
        created_at=case.started_at,
        started_at=case.started_at,
        finished_at=case.finished_at,
        **outputs_kept(columns, keep=keep_outputs),
    )
