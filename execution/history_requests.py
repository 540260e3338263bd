"""What a run of the history was asked, wherever it is kept: with the run, or with the batch that it is a case of."""

from typing import Any

from config.errors import InvalidRequest
from execution.batch_requests import BatchRequest
from execution.models import Run


def request_data(run: Run) -> dict[str, Any] | None:
    """A body for `POST /api/run-code-sync/` that asks the same again; None when it is not kept."""
    if run.batch is None or run.position is None:
        return run.request_data
    data = run.batch.request_data
    if data is None:
        return None
    try:
        batch = BatchRequest.from_data(data)
    except InvalidRequest:
        # Of another release of the service, whose caps or compilers differ.
        return None
    return batch.request_of(batch.cases[run.position]).to_data()
