"""The mail that greets a new member: their account secret and where to begin. Sent once a person."""

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import User
from accounts.organisations import ensure_personal_organisation

log = structlog.get_logger(__name__)


def send_welcome(*, user: User, email: str) -> bool:
    """Sends the mail to a verified address; False when it was sent before or could not be sent."""
    if not User.objects.filter(pk=user.pk, welcomed_at=None).update(welcomed_at=timezone.now()):
        return False
    organisation = ensure_personal_organisation(user=user)
    body = render_to_string(
        "accounts/mail/welcome.txt", {"user": user, "organisation": organisation, "base": settings.PUBLIC_URL}
    )
    try:
        EmailMessage("Welcome to Runcode", body, to=[email]).send()
    except OSError as error:
        # The address is verified all the same; the secret stands on the account page, too.
        log.error("welcome_mail_failed", user=user.pk, error=type(error).__name__)
        return False
    return True
