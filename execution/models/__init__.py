"""What the execution app keeps: runs, batches of them, links to them, and the deliveries of their results."""

from execution.models.batches import Batch
from execution.models.deliveries import Delivery, DeliveryAttempt, Endpoint
from execution.models.runs import Run
from execution.models.shares import Share

__all__ = ["Batch", "Delivery", "DeliveryAttempt", "Endpoint", "Run", "Share"]
