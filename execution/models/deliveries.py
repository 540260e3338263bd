"""Results on their way to customers: the endpoint of a key, a delivery to it, and each attempt."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey, Organisation
from execution.models.batches import Batch
from execution.models.runs import Run


class Endpoint(models.Model):
    """Where the results of an API key's runs go, beside the key's redirect URL: how they are signed, and how it fares.

    The secret is kept readable, because it signs and its owner copies it from the dashboard. After a change the one
    before signs too until `previous_secret_until`, so that receivers need not be changed in the same moment.
    """

    key = models.OneToOneField(ApiKey, on_delete=models.CASCADE, related_name="endpoint")
    secret = models.CharField(max_length=100, editable=False)
    previous_secret = models.CharField(max_length=100, blank=True, editable=False)
    previous_secret_until = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, help_text="Attempts that failed since one was accepted.")
    failing_since = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_because = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"endpoint of {self.key}"


class Delivery(models.Model):
    """One message to one endpoint: attempted until it is accepted or given up. `body` is the JSON that is sent; it is
    emptied when it was accepted and the organisation keeps no outputs.

    `next_attempt_at` is also the lease: who attempts a delivery first moves it on, so that nobody else takes it, and
    it is taken again by itself when its worker dies.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Given up"

    # The index below begins with the organisation.
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, blank=True, related_name="deliveries")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, null=True, blank=True, related_name="deliveries")
    webhook_id = models.CharField(max_length=64, unique=True, editable=False)
    body = models.BinaryField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts_made = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    give_up_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["organisation", "-id"], name="execution_delivery_latest"),
            models.Index(fields=["next_attempt_at"], condition=Q(state="pending"), name="execution_delivery_due"),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id} ({self.state})"

    @property
    def last_cause(self) -> str:
        """Why the latest attempt failed; empty when it was accepted, or when there was none."""
        attempts = list(self.attempts.all())
        return attempts[-1].cause if attempts else ""


class DeliveryAttempt(models.Model):
    """One attempt. `status` is the HTTP status of the answer, if there was one; `cause` says in words what failed."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField(default=timezone.now)
    url = models.CharField(max_length=2000)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    cause = models.CharField(max_length=200, blank=True)
    seconds = models.FloatField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.cause or self.status}"
