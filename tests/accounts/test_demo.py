import json
import shlex
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.authentication import authenticate_key
from accounts.demo import ensure_demo
from accounts.key_lifecycle import revoke_api_key, revoke_websocket_key
from accounts.models import ApiKey, Organisation, User, WebSocketKey

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    settings.RUNCODE_HOME = tmp_path
    return tmp_path


def demo() -> dict[str, str]:
    out = StringIO()
    call_command("demo", "--json", stdout=out)
    printed: dict[str, str] = json.loads(out.getvalue())
    return printed


def opens(key: str, kind: str) -> int:
    """The id of the organisation that the key opens."""
    arguments: dict[str, Any] = {"client_ip": "192.0.2.1", "origin": None, "kind": kind}
    return async_to_sync(authenticate_key)(key, **arguments).organisation_id


def forget_everything() -> None:
    """As after somebody removed the database."""
    Organisation.objects.all().delete()
    User.objects.all().delete()


def test_it_prints_what_opens_the_account(client: Client) -> None:
    made = demo()

    assert set(made) == {"email", "password", "api_key", "websocket_key", "secret", "url"}
    organisation = Organisation.objects.get()
    assert opens(made["api_key"], "api") == organisation.pk
    assert opens(made["websocket_key"], "websocket") == organisation.pk
    assert (made["secret"], made["url"]) == (organisation.secret, "http://localhost:8000")
    client.post(reverse("account_login"), {"login": made["email"], "password": made["password"]})
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)


def test_calling_again_changes_nothing(home: Path) -> None:
    first = demo()
    written = (home / "demo.json").stat().st_mtime_ns

    assert demo() == first
    assert (home / "demo.json").stat().st_mtime_ns == written
    assert (User.objects.count(), ApiKey.objects.count(), WebSocketKey.objects.count()) == (1, 1, 1)


def test_only_the_owner_may_read_the_file(home: Path) -> None:
    demo()

    assert stat.S_IMODE((home / "demo.json").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["demo.json"]


def test_a_fresh_database_gets_the_same_keys_and_password() -> None:
    first = demo()
    forget_everything()

    again = demo()

    assert {**again, "secret": ""} == {**first, "secret": ""}
    assert again["secret"] == Organisation.objects.get().secret
    assert opens(again["api_key"], "api") == opens(again["websocket_key"], "websocket") == Organisation.objects.get().pk


def test_a_lost_file_gets_new_keys_for_the_same_account(home: Path) -> None:
    first = demo()
    (home / "demo.json").unlink()

    again = demo()

    assert again["secret"] == first["secret"]
    assert again["api_key"] != first["api_key"]
    assert opens(again["api_key"], "api") == Organisation.objects.get().pk
    assert User.objects.get().check_password(again["password"])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"password": "", "api_key": "nonsense"}'])
def test_a_spoilt_file_is_mended(home: Path, content: str) -> None:
    (home / "demo.json").write_text(content)

    made = demo()

    assert json.loads((home / "demo.json").read_text()) == made
    assert opens(made["api_key"], "api") == Organisation.objects.get().pk


def test_revoked_keys_are_replaced() -> None:
    first = demo()
    revoke_api_key(key=ApiKey.objects.get())
    revoke_websocket_key(key=WebSocketKey.objects.get())

    again = demo()

    assert again["api_key"] != first["api_key"]
    assert again["websocket_key"] != first["websocket_key"]
    assert opens(again["api_key"], "api") == opens(again["websocket_key"], "websocket")


def test_a_changed_password_and_a_lost_verification_are_mended() -> None:
    first = demo()
    user = User.objects.get()
    user.set_password("something else")
    user.is_active = False
    user.save()
    EmailAddress.objects.update(verified=False)

    assert demo() == first

    user.refresh_from_db()
    assert user.is_active
    assert user.check_password(first["password"])
    assert EmailAddress.objects.get().verified


def test_the_text_holds_everything_and_a_ready_command_line() -> None:
    out = StringIO()
    call_command("demo", stdout=out)

    text = out.getvalue()
    made = ensure_demo()
    for value in (made.email, made.password, made.api_key, made.websocket_key, made.secret, made.url):
        assert value in text
    command = shlex.split(text.strip().splitlines()[-1])
    assert command[:4] == ["curl", "-X", "POST", "http://localhost:8000/api/run-code-sync/"]
    assert command[5] == f"Authorization: {made.api_key}"
    assert json.loads(command[-1])["compiler"] == "python-3.14"
