"""What an organisation has bought and what it has used."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Organisation
from billing.plans import PLANS


class Subscription(models.Model):
    """An organisation's paid plan. Without a row the organisation is on the free plan.

    `period_start` and `period_end` are the paid period as the payment service tells it; while they are empty or over,
    the quota is counted by calendar months. Change rows through billing.subscriptions, which tells all processes.
    """

    organisation = models.OneToOneField(Organisation, on_delete=models.CASCADE, related_name="subscription")
    plan_id = models.CharField("plan", max_length=20, choices=[(plan.id, plan.name) for plan in PLANS])
    period_start = models.DateTimeField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    stripe_customer_id = models.CharField("Stripe customer", max_length=255, blank=True)
    stripe_subscription_id = models.CharField("Stripe subscription", max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="billing_subscription_period",
                condition=Q(period_start=None, period_end=None) | Q(period_end__gt=F("period_start")),
            ),
            models.UniqueConstraint(
                name="billing_subscription_stripe_id",
                fields=["stripe_subscription_id"],
                condition=~Q(stripe_subscription_id=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation}: {self.get_plan_id_display()}"


class UsagePeriod(models.Model):
    """How many runs an organisation was billed in one period: the number of its RunCharges, kept beside them."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="usage_periods")
    start = models.DateTimeField()
    end = models.DateTimeField()
    runs = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-start"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "start"], name="billing_usageperiod_once"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="billing_usageperiod_ends_later"),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} from {self.start:%Y-%m-%d}: {self.runs} runs"


class RunCharge(models.Model):
    """One billed run. Its primary key is the run's own id: that is what makes billing a run twice impossible.

    Written by billing.ledger alone, together with the period's count. `key_id` and `key_kind` name the key that was
    used, which may be gone since. Memory is the peak, in bytes.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    # The index below begins with the organisation; a second one would only slow the writing down.
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="run_charges", db_index=False)
    period_start = models.DateTimeField()
    key_id = models.BigIntegerField()
    key_kind = models.CharField(max_length=10)
    compiler = models.CharField(max_length=40)
    outcome = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    wall_seconds = models.FloatField(validators=[MinValueValidator(0)])
    cpu_seconds = models.FloatField(validators=[MinValueValidator(0)])
    memory_bytes = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["organisation", "-started_at"], name="billing_runcharge_latest")]

    def __str__(self) -> str:
        return f"{self.compiler} {self.outcome} ({self.id})"
