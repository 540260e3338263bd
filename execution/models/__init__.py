"""What the execution app keeps: runs, batches of them, links to them, and the deliveries of their results;
beside them the answers to requests that may be sent again."""

from execution.models.batches import Batch
from execution.models.deliveries import Delivery, DeliveryAttempt, Endpoint
from execution.models.idempotency import IdempotentRequest
from execution.models.runs import Run
from execution.models.shares import Share

__all__ = ["Batch", "Delivery", "DeliveryAttempt", "Endpoint", "IdempotentRequest", "Run", "Share"]
