"""How a run ended becomes part of its row, and its delivery a row beside it: both in one transaction. Blocks."""

from django.db import transaction

from config.errors import ApiError
from execution.async_runs import queue
from execution.callbacks.creation import deliver_run
from execution.models import Run
from execution.models.results import OUTPUT_COLUMNS, columns_of
from execution.sandbox.job import Result


def finish(run: Run, result: Result) -> bool:
    """Records the result. False when this attempt is not the run's last any more: nothing is recorded then."""
    return _end(run, **columns_of(result))


def refuse(run: Run, error: ApiError) -> bool:
    """Records that the run was not carried out, and why, as its surface would have told it."""
    return _end(run, refusal_code=error.code, refusal=error.message)


def cancel(run: Run) -> bool:
    """Records that the run was ended on its owner's wish. Who wished so needs no message."""
    return queue.end(run, Run.Status.CANCELLED)


def _end(run: Run, **columns: object) -> bool:
    with transaction.atomic():
        if not queue.end(run, Run.Status.FINISHED, **columns):
            return False
        ended = Run.objects.select_related("organisation").get(pk=run.pk)
        delivery = deliver_run(ended)
        _drop_what_is_not_kept(ended, sent=delivery is not None)
        return True


def _drop_what_is_not_kept(run: Run, *, sent: bool) -> None:
    """The message has the outputs by now. Where there is none the outputs stay: whoever asked to fetch them will."""
    organisation = run.organisation
    dropped: list[str] = []
    if not organisation.keep_sources:
        dropped += ("request", "extra_params")
    if sent and not organisation.keep_outputs:
        dropped += OUTPUT_COLUMNS
    if dropped:
        Run.objects.filter(pk=run.pk).update(**dict.fromkeys(dropped))
