"""A batch as a row: many inputs for one program. Its cases are runs."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organisation
from execution.models import packing


class Batch(models.Model):
    """One call of `POST /api/run-code-batch/`. Each case that was run is a `Run` of surface `batch`.

    An asynchronous batch goes from `queued` over `running` to `finished` or `cancelled`; one whose client waits begins
    as `running`. `request` is the body's JSON object, packed. The lease is
    as that of a run: while it is renewed somebody works on the batch.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        CANCELLED = "cancelled", "Cancelled"

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    # The index below begins with the organisation.
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="batches", db_index=False)
    key_id = models.BigIntegerField()
    key_kind = models.CharField(max_length=10)
    compiler = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    asynchronous = models.BooleanField(default=False)
    callback = models.BooleanField(default=False)
    tests = models.PositiveIntegerField()
    request = models.BinaryField(null=True)
    extra_params = models.BinaryField(null=True)

    done = models.PositiveIntegerField(default=0, help_text="Cases that came to an end.")
    accepted = models.PositiveIntegerField(default=0)
    verdict = models.CharField(max_length=20, blank=True)
    score = models.FloatField(null=True)
    compile_output = models.BinaryField(null=True)
    checker_error = models.BinaryField(null=True)
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal = models.TextField(blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    worker = models.CharField(max_length=64, blank=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "batches"
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["organisation", "-id"], name="execution_batch_latest"),
            models.Index(
                fields=["leased_until"], condition=Q(status__in=["queued", "running"]), name="execution_batch_open"
            ),
        ]

    def __str__(self) -> str:
        return f"batch {self.pk} ({self.compiler}, {self.status})"

    @property
    def ended(self) -> bool:
        return self.status in (self.Status.FINISHED, self.Status.CANCELLED)

    @property
    def request_data(self) -> dict[str, Any] | None:
        """The request as a JSON object, fit for `BatchRequest.from_data`; None when it is not kept."""
        data: dict[str, Any] | None = packing.unpack(self.request)
        return data
