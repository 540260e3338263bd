"""A request becomes a row in the queue: what is refused is refused here, before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from channels.db import database_sync_to_async
from django.conf import settings

from accounts.caller import Caller
from billing.subscriptions import plan_for
from config.errors import FieldError, InvalidRequest, LimitExceeded
from execution.async_runs import queue
from execution.async_runs.requests import AsyncRequest
from execution.bells import runs_waiting
from execution.callbacks.creation import POLL
from execution.capacity import admit_to_queue
from execution.catalogue import installed
from execution.models import Run
from execution.models.packing import pack
from execution.runs import no_toolchain

MOST_WAITING: Final = 10_000
"""How many runs of one organisation may wait, whatever its plan: they are rows with programs in them."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A queued run: its row is committed. `headers` (RateLimit, RateLimit-Policy) belong on the answer."""

    run_id: int
    headers: Mapping[str, str]


async def accept(*, caller: Caller, request: AsyncRequest, uuid: UUID | None = None) -> Accepted:
    """Queues a run for the caller's organisation; with `uuid` the run of that id, unless it is there already.

    Raises InvalidRequest when there is nowhere to send the result, LimitExceeded (`run_quota`, `rate_limit`,
    `queue_full`) and Unavailable (`toolchain_unavailable`, `unavailable`).
    """
    if not (request.poll or caller.redirect_url):
        raise _nowhere()
    if request.run.compiler.id not in installed(settings.RUNCODE_HOME):
        raise no_toolchain(request.run.compiler)
    plan = await plan_for(caller.organisation_id)
    waiting = await database_sync_to_async(queue.waiting_of)(caller.organisation_id, most=MOST_WAITING)
    if waiting >= MOST_WAITING:
        raise LimitExceeded(
            f"{MOST_WAITING:,} runs wait already, the most at once. Send this again when some have ended.",
            code="queue_full",
            headers={"Retry-After": "10"},
        )
    headers = await admit_to_queue(caller, plan, waiting=waiting)
    run_id: int = await database_sync_to_async(_add)(caller, request, uuid or uuid4())
    return Accepted(run_id, headers)


def _add(caller: Caller, request: AsyncRequest, uuid: UUID) -> int:
    data = request.run.to_data()
    run, _ = Run.objects.get_or_create(
        organisation_id=caller.organisation_id,
        uuid=uuid,
        defaults={
            "key_id": caller.key_id,
            "key_kind": caller.kind,
            "surface": Run.Surface.ASYNC,
            "compiler": request.run.compiler.id,
            "request": pack({**data, POLL: True} if request.poll else data),
            "extra_params": None if request.extra_params is None else pack(request.extra_params),
        },
    )
    runs_waiting.ring()
    return run.pk


def _nowhere() -> InvalidRequest:
    text = "This key has no redirect URL to send the result to. Set one on the API keys page, or send `poll: true`."
    return InvalidRequest(text, errors=[FieldError("redirect_url", text)])
