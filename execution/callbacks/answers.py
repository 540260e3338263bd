"""A delivery as the API tells it."""

from typing import Any

from execution.history_answers import moment
from execution.models import Batch, Delivery, Run


def deliveries_of(subject: Run | Batch) -> list[Delivery]:
    """The deliveries of a run or batch with their attempts, the oldest first. Blocks."""
    found = subject.deliveries.select_related("endpoint").prefetch_related("attempts").order_by("pk")
    return list(found.defer("body"))


def told(delivery: Delivery) -> dict[str, Any]:
    """`next_attempt_at` is null when there will be none: it was delivered, given up, or its endpoint is paused."""
    waits = delivery.state == Delivery.State.PENDING and delivery.endpoint.paused_at is None
    return {
        "webhook_id": delivery.webhook_id,
        "state": delivery.state,
        "created_at": moment(delivery.created_at),
        "delivered_at": moment(delivery.delivered_at),
        "next_attempt_at": moment(delivery.next_attempt_at) if waits else None,
        "attempts": [
            {
                "at": moment(attempt.at),
                "url": attempt.url,
                "status": attempt.status,
                "cause": attempt.cause or None,
                "seconds": round(attempt.seconds, 3),
            }
            for attempt in delivery.attempts.all()
        ],
    }
