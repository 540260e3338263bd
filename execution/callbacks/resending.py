"""Sending a result again, on its owner's wish. Blocks."""

from config.errors import ApiError, NotFound
from execution.callbacks import deliveries
from execution.callbacks.answers import deliveries_of
from execution.models import Batch, Delivery, Run


class CannotResend(ApiError):
    """Carries a narrower code: `callbacks_paused` or `not_kept`."""

    status, code = 409, "callbacks_paused"


def resend_all_of(subject: Run | Batch) -> list[Delivery]:
    """Makes all deliveries of a run or batch due now; returns them. Raises NotFound and CannotResend."""
    found = deliveries_of(subject)
    if not found:
        raise NotFound("Nothing was to be sent: the key had no redirect URL, or the result was to be fetched.")
    for delivery in found:
        resend(delivery)
    return deliveries_of(subject)


def resend(delivery: Delivery) -> None:
    """Makes a delivery due now, whatever its state. Raises CannotResend."""
    if delivery.endpoint.paused_at is not None:
        raise CannotResend("The callbacks of this key are paused. Resume them on the API keys page.")
    if not delivery.body:
        text = "The result was delivered, and your organisation keeps no outputs: there is nothing to send."
        raise CannotResend(text, code="not_kept")
    deliveries.resend(delivery)
