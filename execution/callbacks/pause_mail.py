"""The mail to those who can mend an endpoint that is paused. Blocks."""

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from accounts.models import Membership
from execution.models import Endpoint

_log = structlog.get_logger("runcode.callbacks")

_MENDERS = (Membership.Role.OWNER, Membership.Role.ADMIN)


def tell_owners(endpoint: Endpoint, because: str) -> None:
    """Tells the owners and admins of its organisation, each in a mail of their own. A failure is logged only."""
    key = endpoint.key
    members = key.organisation.memberships.filter(role__in=_MENDERS, user__is_active=True).select_related("user")
    body = render_to_string(
        "execution/mail/callbacks_paused.txt", {"key": key, "because": because, "base": settings.PUBLIC_URL}
    )
    # A name may hold a line break, and a subject may not.
    subject = " ".join(f"Callbacks of “{key.name}” are paused".split())
    for member in members:
        try:
            EmailMessage(subject, body, to=[member.user.email]).send()
        except OSError as error:
            # The keys page says it too.
            _log.error("a mail could not be sent", endpoint=endpoint.pk, error=type(error).__name__)
