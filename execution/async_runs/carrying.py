"""One attempt at a run that was taken from the queue, from the row to its result or to why there is none."""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from accounts.caller import Caller
from config.errors import ApiError, Unavailable
from execution.models import Run
from execution.requests import RunRequest
from execution.runs import run_code
from execution.sandbox.job import Result

MOST_ATTEMPTS: Final = 10
PATIENCE: Final = timedelta(hours=1)
"""A run that cannot be carried out is given up after that many attempts, and not before that time is over: an outage
costs many attempts in a short time, and a program that takes its worker down with it a few in a long time."""


class NotNow(Exception):
    """The run cannot be carried out at the moment, which is our fault: it goes back into the queue."""


async def carry_out(run: Run) -> Result:
    """Runs the program. Billed are its `uuid`, so once however often it is carried out.

    Raises ApiError for what is final (no run is left of the quota, the toolchain is gone), NotNow for what is not.
    """
    if run.attempts > MOST_ATTEMPTS and timezone.now() - run.created_at > PATIENCE:
        raise _given_up()
    caller = Caller(run.organisation_id, run.key_id, "websocket" if run.key_kind == "websocket" else "api")
    request = RunRequest.from_data(run.request_data or {})
    try:
        answer = await run_code(caller=caller, request=request, run_id=run.uuid, queued=True)
    except Unavailable as error:
        if error.code == "toolchain_unavailable":
            raise
        raise NotNow from error
    return answer.result


def _given_up() -> ApiError:
    return Unavailable(
        "The program could not be run in spite of many attempts; this is our fault and is not counted.",
        code="sandbox_unavailable",
    )
