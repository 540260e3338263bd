from unittest.mock import patch

import pytest
from django.core import mail

from accounts.welcome import send_welcome
from tests.cast import Cast, make_user

pytestmark = pytest.mark.django_db


def test_it_carries_the_secret_and_where_to_begin() -> None:
    user = make_user("dora@example.org")

    assert send_welcome(user=user, email=user.email)

    (message,) = mail.outbox
    assert message.to == ["dora@example.org"]
    assert message.subject == "Welcome to Runcode"
    secret = user.personal_organisation.secret
    for part in (
        secret,
        f"http://localhost:8000/cus/{secret}",
        "http://localhost:8000/dashboard/keys/",
        "http://localhost:8000/docs/quickstart/",
    ):
        assert part in message.body


def test_it_comes_once(cast: Cast) -> None:
    user = cast.alice.user

    assert send_welcome(user=user, email=user.email)
    assert not send_welcome(user=user, email="another@example.org")

    assert len(mail.outbox) == 1


def test_it_carries_ones_own_secret_and_never_the_teams(cast: Cast) -> None:
    send_welcome(user=cast.bob.user, email=cast.bob.email)

    (message,) = mail.outbox
    assert cast.bob.user.personal_organisation.secret in message.body
    assert cast.alice.organisation.secret not in message.body


def test_a_mail_server_that_is_down_breaks_nothing(cast: Cast) -> None:
    with patch("django.core.mail.EmailMessage.send", side_effect=ConnectionRefusedError):
        assert not send_welcome(user=cast.alice.user, email=cast.alice.email)
