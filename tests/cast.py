"""The people that tests are played by. A pytest plugin: `cast` is there in every test.

Alice owns an organisation, Bob is a member of it, Charlie is a stranger with an organisation of his own, full of
things that must not leak. Each has an API key and a WebSocket key of the organisation they work in.

    def test_it_lists_the_keys(cast: Cast) -> None:
        cast.alice.client.get("/keys/")                     # signed in, working in her organisation
        headers = {"Authorization": cast.charlie.api_key}

In an async test the rows are committed, so that every thread sees them; in a plain one they are rolled back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from inspect import iscoroutinefunction

import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import Client

from accounts import authentication, last_used
from accounts.current import SESSION_KEY
from accounts.key_lifecycle import create_api_key, create_websocket_key
from accounts.models import ApiKey, Membership, Organisation, User, WebSocketKey
from accounts.organisations import ensure_personal_organisation

PASSWORD = "correct-horse-battery-staple"


@dataclass
class Person:
    """`organisation` is where the person works, `api_key` and `websocket_key` are keys of it as a client sends them."""

    user: User
    organisation: Organisation
    membership: Membership
    api_key: str
    api_key_row: ApiKey
    websocket_key: str
    websocket_key_row: WebSocketKey

    @property
    def email(self) -> str:
        return self.user.email

    @cached_property
    def client(self) -> Client:
        """A browser in which this person is signed in."""
        client = Client()
        client.force_login(self.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        session = client.session
        session[SESSION_KEY] = self.organisation.pk
        session.save()
        return client


@dataclass
class Cast:
    alice: Person
    bob: Person
    charlie: Person


def make_user(email: str) -> User:
    """Somebody who has signed up and verified the address, with `PASSWORD`."""
    user = User.objects.create_user(email, PASSWORD, name=email.partition("@")[0].capitalize())
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    ensure_personal_organisation(user=user)
    return user


def make_person(user: User, organisation: Organisation) -> Person:
    name = user.get_short_name()
    row, plain_key = create_api_key(organisation=organisation, created_by=user, name=f"{name}'s API key")
    websocket_key = create_websocket_key(organisation=organisation, created_by=user, name=f"{name}'s WebSocket key")
    membership = organisation.memberships.get(user=user)
    return Person(user, organisation, membership, plain_key, row, websocket_key.value, websocket_key)


def make_cast() -> Cast:
    alice, bob, charlie = (make_user(f"{name}@example.org") for name in ("alice", "bob", "charlie"))
    team = alice.personal_organisation
    team.memberships.create(user=bob, role=Membership.Role.MEMBER)
    return Cast(make_person(alice, team), make_person(bob, team), make_person(charlie, charlie.personal_organisation))


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


def pytest_itemcollected(item: pytest.Item) -> None:
    if "cast" not in getattr(item, "fixturenames", ()):
        return
    marker = item.get_closest_marker("django_db")
    if iscoroutinefunction(getattr(item, "function", None)) and not (marker and marker.kwargs.get("transaction")):
        # Before a module's own mark: in a transaction of the test's thread, the loop's threads would wait for ever.
        item.add_marker(pytest.mark.django_db(transaction=True), append=False)
    elif marker is None:
        item.add_marker(pytest.mark.django_db)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Row ids begin anew in each test, attempts to sign in are counted anew."""
    yield
    authentication.forget_everything()
    for recorded in last_used._used.values():
        recorded.clear()
    cache.clear()


@pytest.fixture(autouse=True)
def _connections(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections last as long as their test.

    `database_sync_to_async` closes old ones, which would end the transaction in which a plain test runs; Django's own
    test client keeps its requests from it in the same way. Those that async tests open on asgiref's thread are closed,
    or PostgreSQL would not let go of the test database.
    """
    marker = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction")):
        yield
        SyncToAsync.single_thread_executor.submit(connections.close_all).result()
    else:
        monkeypatch.setattr("channels.db.close_old_connections", lambda: None)
        yield


def pytest_configure() -> None:
    # Slow on purpose in production; here each person would cost a quarter of a second.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
