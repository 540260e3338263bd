"""Sending a run's result again, on its owner's wish. Blocks."""

from config.errors import ApiError, NotFound
from execution.callbacks import deliveries
from execution.callbacks.answers import deliveries_of
from execution.models import Delivery, Run


class CannotResend(ApiError):
    """Carries a narrower code: `callbacks_paused` or `not_kept`."""

    status, code = 409, "callbacks_paused"


def resend_run(run: Run) -> list[Delivery]:
    """Makes all deliveries of the run due now; returns them. Raises NotFound and CannotResend."""
    found = deliveries_of(run)
    if not found:
        raise NotFound("Nothing was to be sent for this run: its key had no redirect URL, or it was to be fetched.")
    for delivery in found:
        if delivery.endpoint.paused_at is not None:
            raise CannotResend("The callbacks of this key are paused. Resume them on the API keys page.")
        if not delivery.body:
            text = "The result was delivered, and your organisation keeps no outputs: there is nothing to send."
            raise CannotResend(text, code="not_kept")
    for delivery in found:
        deliveries.resend(delivery)
    return deliveries_of(run)
