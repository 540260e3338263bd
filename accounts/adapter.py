"""How django-allauth works here: what a sign-up makes, where links in mails lead, whose attempts are counted."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest

from accounts.client_ip import client_ip_of_request
from accounts.models import User, UserManager
from accounts.organisations import ensure_personal_organisation
from accounts.welcome import send_welcome


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """Nobody exists without an organisation of their own."""
        with transaction.atomic():
            super().save_user(request, user, form, commit=commit)
            if commit:
                ensure_personal_organisation(user=user)
        return user

    def clean_email(self, email: str) -> str:
        return UserManager.normalize_email(email)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        confirmed: bool = super().confirm_email(request, email_address)
        if confirmed:
            send_welcome(user=email_address.user, email=email_address.email)
        return confirmed

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_ip_of_request(request) or "unknown"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Links lead to PUBLIC_URL, whatever Host header the request came with."""
        context = {name: _public(value) if name.endswith("_url") else value for name, value in context.items()}
        site = {"name": "Runcode", "domain": urlsplit(settings.PUBLIC_URL).netloc}
        super().send_mail(template_prefix, email, {**context, "current_site": site})


def _public(url: str) -> str:
    parts = urlsplit(url)
    return f"{settings.PUBLIC_URL}{parts.path}{f'?{parts.query}' if parts.query else ''}"


def attempted_email(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """What django-axes counts failures by: the address in one spelling, so that capitals give no fresh attempts."""
    given = credentials or {}
    return UserManager.normalize_email(given.get("email") or given.get("username") or "")
