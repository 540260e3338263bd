"""The endpoint of an API key: its signing secret, and whether anything is sent to it. All of this blocks."""

import base64
import secrets
from datetime import timedelta
from typing import Final

from django.utils import timezone

from execution.models import Delivery, Endpoint

SECRET_BYTES: Final = 32
PREVIOUS_SECRET_SIGNS: Final = timedelta(hours=24)
DELIVERY_PATIENCE: Final = timedelta(hours=24)
"""For so long a delivery is tried again."""


def make_secret() -> str:
    """A signing secret in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def endpoint_of(key_id: int) -> Endpoint:
    """The endpoint of that API key, made when it is asked for the first time."""
    endpoint, _ = Endpoint.objects.get_or_create(key_id=key_id, defaults={"secret": make_secret()})
    return endpoint


def signing_secrets(endpoint: Endpoint) -> list[str]:
    """What signs now: the secret, and for a day after a change the one before."""
    until = endpoint.previous_secret_until
    if endpoint.previous_secret and until is not None and timezone.now() < until:
        return [endpoint.secret, endpoint.previous_secret]
    return [endpoint.secret]


def rotate_secret(endpoint: Endpoint) -> None:
    """Makes a new secret; the one before goes on signing beside it for a day."""
    endpoint.previous_secret = endpoint.secret
    endpoint.previous_secret_until = timezone.now() + PREVIOUS_SECRET_SIGNS
    endpoint.secret = make_secret()
    endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_until"])


def pause(endpoint: Endpoint, because: str) -> bool:
    """Sends nothing more to it until somebody resumes it. False when it was paused already."""
    paused = Endpoint.objects.filter(pk=endpoint.pk, paused_at=None)
    return bool(paused.update(paused_at=timezone.now(), paused_because=because[:200]))


def resume(endpoint: Endpoint) -> None:
    """Sends again, what has waited first."""
    now = timezone.now()
    Endpoint.objects.filter(pk=endpoint.pk).update(paused_at=None, paused_because="", failures=0, failing_since=None)
    waiting = Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.PENDING)
    waiting.update(next_attempt_at=now, give_up_at=now + DELIVERY_PATIENCE)
