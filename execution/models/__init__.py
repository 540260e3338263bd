"""What the execution app keeps: runs, and the deliveries of their results."""

from execution.models.deliveries import Delivery, DeliveryAttempt, Endpoint
from execution.models.runs import Run

__all__ = ["Delivery", "DeliveryAttempt", "Endpoint", "Run"]
