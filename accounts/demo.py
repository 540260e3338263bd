"""The demo account of an installation: a verified member with a key of each kind, ready to be tried.

What cannot be read back from the database, the password and the API key, is kept in RUNCODE_HOME/demo.json (mode
0600). Calling again gives the same account; what has gone missing since (a fresh database, a revoked key, another
password) is mended.
"""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.key_lifecycle import create_api_key, create_websocket_key
from accounts.keys import parse, same_digest
from accounts.models import ApiKey, Organisation, User, WebSocketKey
from accounts.organisations import ensure_personal_organisation

EMAIL = "demo@runcode.example"  # a domain that RFC 2606 keeps from ever existing
KEY_NAME = "Demo"


@dataclass(frozen=True, slots=True)
class Demo:
    """What a person needs to try the service; all of it is secret but `email`, `websocket_key` and `url`."""

    email: str
    password: str
    api_key: str
    websocket_key: str
    secret: str
    url: str

    @property
    def curl(self) -> str:
        """A command line that runs a program on this installation."""
        body = json.dumps({"compiler": "python-3.14", "code": "print(input()[::-1])", "input": "olleh"})
        return (
            f'curl -X POST {self.url}/api/run-code-sync/ -H "Authorization: {self.api_key}" '
            f"""-H "Content-Type: application/json" -d '{body}'"""
        )


def ensure_demo() -> Demo:
    """Makes the demo account, or mends it, and tells what it opens with."""
    file = Path(settings.RUNCODE_HOME) / "demo.json"
    with transaction.atomic():
        kept = _read(file)
        user, password = _user(kept.get("password", ""))
        organisation = ensure_personal_organisation(user=user)
        demo = Demo(
            email=user.email,
            password=password,
            api_key=_api_key(organisation, user, kept.get("api_key", "")),
            websocket_key=_websocket_key(organisation, user, kept.get("websocket_key", "")),
            secret=organisation.secret,
            url=settings.PUBLIC_URL,
        )
        # Before the commit: a file ahead of the database is mended by the next call, keys nobody can read are not.
        if kept != asdict(demo):
            _write(file, demo)
    return demo


def _user(password: str) -> tuple[User, str]:
    user, _ = User.objects.get_or_create(email=EMAIL, defaults={"name": "Demo", "welcomed_at": timezone.now()})
    if not password or not user.check_password(password):
        password = password or secrets.token_urlsafe(12)
        user.set_password(password)
    user.is_active = True
    user.save(update_fields=["password", "is_active"])
    EmailAddress.objects.update_or_create(user=user, email=EMAIL, defaults={"verified": True, "primary": True})
    return user, password


def _api_key(organisation: Organisation, user: User, kept: str) -> str:
    parsed = parse(kept)
    if parsed is not None and parsed.kind == "api":
        row = ApiKey.objects.filter(prefix=parsed.prefix).first()
        if row is None:
            return create_api_key(organisation=organisation, created_by=user, name=KEY_NAME, plain_key=kept)[1]
        if row.organisation_id == organisation.pk and row.state == "live" and same_digest(row.digest, parsed.digest):
            return kept
    return create_api_key(organisation=organisation, created_by=user, name=KEY_NAME)[1]


def _websocket_key(organisation: Organisation, user: User, kept: str) -> str:
    parsed = parse(kept)
    if parsed is not None and parsed.kind == "websocket":
        row = WebSocketKey.objects.filter(digest=parsed.digest).first()
        if row is None:
            return create_websocket_key(organisation=organisation, created_by=user, name=KEY_NAME, value=kept).value
        if row.organisation_id == organisation.pk and row.state == "live":
            return kept
    return create_websocket_key(organisation=organisation, created_by=user, name=KEY_NAME).value


def _read(file: Path) -> dict[str, str]:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _write(file: Path, demo: Demo) -> None:
    # Made with mode 0600, and renamed into place: nobody reads half of it.
    with NamedTemporaryFile("w", dir=file.parent, prefix=".demo-", encoding="utf-8", delete=False) as new:
        json.dump(asdict(demo), new, indent=2)
    Path(new.name).replace(file)
