"""A run that anybody may look at who knows the link."""

import secrets

from django.db import models
from django.utils import timezone

from accounts.models import User
from execution.models.runs import Run


def make_token() -> str:
    """192 random bits: nobody comes upon a shared run by guessing."""
    return secrets.token_urlsafe(24)


class Share(models.Model):
    """The link to one run; removing the row takes it back. The token is kept readable, because the page shows it."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="share")
    token = models.CharField(max_length=43, unique=True, default=make_token, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"link to {self.run}"
