"""Requests that name themselves, so that sending one again does not do it again."""

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import Organisation


class IdempotentRequest(models.Model):
    """One `Idempotency-Key` of an API key: first a claim under a lease, then the answer, which is kept for a day.

    `fingerprint` tells one request from another (execution.idempotency). `run_uuid` is the id under which what the
    request starts is billed, however often it is tried. `status` and `body` (compressed) are the answer's; empty
    until it has been answered. Written by execution.idempotency alone.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+", db_index=False)
    key_id = models.BigIntegerField()
    name = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    run_uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    # Whoever answers it, and until when it is theirs unless renewed.
    holder = models.UUIDField(default=uuid.uuid4, editable=False)
    leased_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "key_id", "name"], name="execution_idempotent_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="execution_idempotent_oldest")]

    def __str__(self) -> str:
        return f"{self.name} of key {self.key_id}"
