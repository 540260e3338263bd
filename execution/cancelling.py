"""Ending a run before its end. Blocks."""

from django.utils import timezone

from execution.models import Run


def cancel(run: Run) -> None:
    """A run that waits never runs; one that is being carried out is ended by its worker, in whichever process, within
    a second or so. One that has ended stays as it is. `run` is read anew.
    """
    if not _cancel_queued(run):
        Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING).update(cancel_requested=True)
        # Its worker may have put it back into the queue between the two.
        _cancel_queued(run)
    run.refresh_from_db()


def _cancel_queued(run: Run) -> bool:
    queued = Run.objects.filter(pk=run.pk, status=Run.Status.QUEUED)
    return bool(queued.update(status=Run.Status.CANCELLED, cancel_requested=True, finished_at=timezone.now()))
