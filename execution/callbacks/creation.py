"""A message to a customer becomes a row, in the transaction that records what it tells. Blocks."""

import json
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import ApiKey
from execution.bells import deliveries_due
from execution.callbacks.endpoints import DELIVERY_PATIENCE, endpoint_of
from execution.models import Delivery, Run
from execution.models.results import result_of
from execution.results import answer_of

POLL = "poll"
"""The field of a stored request whose result is fetched, and not sent."""


def deliver_run(run: Run) -> Delivery | None:
    """The delivery of a run that has ended; None when its result is not sent."""
    request = run.request_data or {}
    if run.surface != Run.Surface.ASYNC or request.get(POLL):
        return None
    return deliver(key_id=run.key_id, webhook_id=f"msg_{run.uuid.hex}", body=message_of(run), run=run)


def deliver(*, key_id: int, webhook_id: str, body: dict[str, Any], **subject: Any) -> Delivery | None:
    """A delivery to the endpoint of that API key; None when the key has no redirect URL.

    `subject` is what the message is about, as a field of `Delivery`. `webhook_id` must be its own for ever.
    """
    key = ApiKey.objects.filter(pk=key_id).exclude(redirect_url="").first()
    if key is None:
        return None
    delivery = Delivery.objects.create(
        organisation_id=key.organisation_id,
        endpoint=endpoint_of(key.pk),
        webhook_id=webhook_id,
        # In ASCII, where every character that a program prints has an escape.
        body=json.dumps(body).encode("ascii"),
        give_up_at=timezone.now() + DELIVERY_PATIENCE,
        **subject,
    )
    transaction.on_commit(deliveries_due.ring)
    return delivery


def message_of(run: Run) -> dict[str, Any]:
    """What is sent when a run has ended: its result with `id` and `extra_params`. A run that was not carried out has
    the reason in `error`, no exit code, and the error's `code`."""
    request = run.request_data or {}
    result = result_of(run)
    if result is None:
        answer = {**_NOTHING, "error": run.refusal, "code": run.refusal_code}
    else:
        answer = answer_of(result, extended=bool(request.get("extended")), with_files=bool(request.get("output_files")))
    return {"id": run.pk, **answer, "extra_params": run.extra_params_data}


_NOTHING = {
    "output": "",
    "error": "",
    "status": "error",
    "exit_code": None,
    "signal": None,
    "time": "0.0000",
    "total": "0.0000",
    "memory": "0",
}
