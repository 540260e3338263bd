"""A run as a row: what was asked, how it stands, what came of it."""

import uuid
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organisation
from execution.models import packing
from execution.models.batches import Batch


class Run(models.Model):
    """One run. `uuid` is the id that it is billed under, the primary key is the one that clients see.

    An asynchronous run goes from `queued` over `running` to `finished` or `cancelled`; runs of other surfaces are
    written when they have ended. Its outcome is that of design's vocabulary (execution.sandbox.job.Outcome); a run
    that was never carried out has none, and `refusal_code` and `refusal` (the code and the sentence of an error) say
    why. Seconds and bytes are those of `Result`.

    Programs, inputs and outputs hold any bytes, and PostgreSQL's text and JSON hold no NUL: so they are bytes here.
    `request`, `extra_params` and `files` are JSON, packed (execution.models.packing). All of them are empty (None)
    where an account does not keep them.
    """

    class Surface(models.TextChoices):
        SYNC = "sync", "Synchronous API"
        ASYNC = "async", "Asynchronous API"
        BATCH = "batch", "Batch"
        WEBSOCKET = "websocket", "WebSocket"
        SOCKETIO = "socketio", "Socket.IO"
        WIDGET = "widget", "Widget"
        MCP = "mcp", "MCP"
        V1 = "v1", "/v1/execute"
        PLAYGROUND = "playground", "Playground"

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        CANCELLED = "cancelled", "Cancelled"

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    # The indexes below begin with the organisation; a further one would only slow the writing down.
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="runs", db_index=False)
    # The key that was used, which may be gone since; as in billing.models.RunCharge.
    key_id = models.BigIntegerField()
    key_kind = models.CharField(max_length=10)
    surface = models.CharField(max_length=12, choices=Surface)
    compiler = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)

    # A case of a batch: which, and what came of it. Its program stands with the batch, once for all cases.
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, null=True, related_name="cases", db_index=False)
    position = models.PositiveIntegerField(null=True)
    verdict = models.CharField(max_length=20, blank=True)
    checker_output = models.BinaryField(null=True)

    request = models.BinaryField(null=True)
    extra_params = models.BinaryField(null=True)

    outcome = models.CharField(max_length=20, blank=True)
    exit_code = models.IntegerField(null=True)
    signal = models.IntegerField(null=True)
    wall_seconds = models.FloatField(null=True, validators=[MinValueValidator(0)])
    total_seconds = models.FloatField(null=True, validators=[MinValueValidator(0)])
    cpu_seconds = models.FloatField(null=True, validators=[MinValueValidator(0)])
    compile_seconds = models.FloatField(null=True, validators=[MinValueValidator(0)])
    memory_bytes = models.PositiveBigIntegerField(null=True)
    cached = models.BooleanField(default=False)
    stdout = models.BinaryField(null=True)
    stderr = models.BinaryField(null=True)
    compile_output = models.BinaryField(null=True)
    stdout_truncated = models.BooleanField(default=False)
    stderr_truncated = models.BooleanField(default=False)
    files = models.BinaryField(null=True)
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal = models.TextField(blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    # Who carries it out: the id of a worker, until when it is theirs unless renewed, and how often it was taken.
    worker = models.CharField(max_length=64, blank=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["organisation", "-id"], name="execution_run_latest"),
            models.Index(fields=["organisation", "id"], condition=Q(status="queued"), name="execution_run_queued"),
            models.Index(fields=["leased_until"], condition=Q(status="running"), name="execution_run_running"),
            models.Index(fields=["batch", "position"], condition=Q(batch__isnull=False), name="execution_run_case"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} ({self.compiler}, {self.status})"

    @property
    def ended(self) -> bool:
        return self.status in (self.Status.FINISHED, self.Status.CANCELLED)

    @property
    def request_data(self) -> dict[str, Any] | None:
        """The request as a JSON object, fit for `RunRequest.from_data`; None when it is not kept."""
        data: dict[str, Any] | None = packing.unpack(self.request)
        return data

    @property
    def extra_params_data(self) -> dict[str, Any] | None:
        data: dict[str, Any] | None = packing.unpack(self.extra_params)
        return data
