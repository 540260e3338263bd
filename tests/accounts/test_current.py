from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.current import (
    SESSION_KEY,
    MemberRequest,
    current_membership,
    member_required,
    memberships_of,
    switch_organisation,
)
from accounts.models import Membership, User
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def request_of(user: User | None, *, chosen: int | None = None, **headers: str) -> HttpRequest:
    request = RequestFactory().get("/dashboard/?tab=keys", headers=headers)
    request.user = user or AnonymousUser()
    request.session = SessionStore()
    if chosen is not None:
        request.session[SESSION_KEY] = chosen
    return request


@member_required
def plain(request: MemberRequest, number: int = 0) -> HttpResponse:
    return HttpResponse(f"{request.organisation} {request.membership.role} {number}")


@member_required(role=Membership.Role.ADMIN)
def for_admins(request: MemberRequest) -> HttpResponse:
    return HttpResponse("let in")


@member_required
async def asynchronous(request: MemberRequest, number: int = 0) -> HttpResponse:
    return HttpResponse(f"{request.organisation} {request.membership.role} {number}")


@member_required(role=Membership.Role.OWNER)
async def for_owners(request: MemberRequest) -> HttpResponse:
    return HttpResponse("let in")


def test_a_person_works_in_their_own_organisation_until_they_choose(cast: Cast) -> None:
    bob = cast.bob.user

    own = current_membership(request_of(bob))
    chosen = current_membership(request_of(bob, chosen=cast.alice.organisation.pk))

    assert own is not None
    assert chosen is not None
    assert (own.organisation, own.role) == (bob.personal_organisation, Membership.Role.OWNER)
    assert (chosen.organisation, chosen.role) == (cast.alice.organisation, Membership.Role.MEMBER)
    assert [one.organisation for one in memberships_of(bob)] == [bob.personal_organisation, cast.alice.organisation]


def test_a_choice_counts_only_among_ones_memberships(cast: Cast) -> None:
    stranger = current_membership(request_of(cast.charlie.user, chosen=cast.alice.organisation.pk))
    cast.bob.membership.delete()
    dismissed = current_membership(request_of(cast.bob.user, chosen=cast.alice.organisation.pk))

    assert stranger is not None
    assert dismissed is not None
    assert stranger.organisation == cast.charlie.organisation
    assert dismissed.organisation == cast.bob.user.personal_organisation


def test_switching_is_remembered(cast: Cast) -> None:
    request = request_of(cast.bob.user)
    assert current_membership(request) is not None

    switch_organisation(request, organisation_id=cast.alice.organisation.pk)

    assert request.session[SESSION_KEY] == cast.alice.organisation.pk
    now = current_membership(request)
    assert now is not None
    assert now.organisation == cast.alice.organisation


def test_a_foreign_organisation_is_not_found(cast: Cast) -> None:
    request = request_of(cast.charlie.user)

    for organisation_id in (cast.alice.organisation.pk, 999_999):
        with pytest.raises(Http404):
            switch_organisation(request, organisation_id=organisation_id)

    assert SESSION_KEY not in request.session


def test_it_asks_the_database_once_a_request(cast: Cast) -> None:
    request = request_of(cast.alice.user)

    with CaptureQueriesContext(connection) as queries:
        for _ in range(3):
            current_membership(request)

    assert len(queries) == 1


def test_somebody_from_the_command_line_gets_an_organisation() -> None:
    user = User.objects.create_superuser("staff@example.org")

    membership = current_membership(request_of(user))

    assert membership is not None
    assert membership.organisation.personal_of == user


def test_nobody_signed_in_works_nowhere() -> None:
    assert current_membership(request_of(None)) is None


@pytest.mark.parametrize("view", [plain, async_to_sync(asynchronous)])
def test_a_view_gets_organisation_and_membership(cast: Cast, view: Callable[..., Any]) -> None:
    response = view(request_of(cast.bob.user, chosen=cast.alice.organisation.pk), number=7)

    assert response.content.decode() == "Alice member 7"


@pytest.mark.parametrize("view", [plain, for_admins, async_to_sync(asynchronous), async_to_sync(for_owners)])
def test_whoever_is_not_signed_in_is_sent_to_the_sign_in_page_and_back(view: Callable[..., Any]) -> None:
    whole, part = view(request_of(None)), view(request_of(None, **{"HX-Request": "true"}))

    where = "/accounts/login/?next=/dashboard/%3Ftab%3Dkeys"
    assert (whole.status_code, whole.headers["Location"]) == (302, where)
    assert (part.status_code, part.headers["HX-Redirect"]) == (200, where)


def test_a_role_below_is_refused(cast: Cast) -> None:
    team = cast.alice.organisation.pk
    assert for_admins(request_of(cast.alice.user)).content == b"let in"
    assert async_to_sync(for_owners)(request_of(cast.alice.user)).content == b"let in"

    for view in (for_admins, async_to_sync(for_owners)):
        with pytest.raises(PermissionDenied):
            view(request_of(cast.bob.user, chosen=team))
    Membership.objects.filter(pk=cast.bob.membership.pk).update(role=Membership.Role.ADMIN)
    assert for_admins(request_of(cast.bob.user, chosen=team)).content == b"let in"
    with pytest.raises(PermissionDenied):
        async_to_sync(for_owners)(request_of(cast.bob.user, chosen=team))


async def test_an_async_view_runs_on_the_loop(cast: Cast) -> None:
    request = await sync_to_async(request_of)(cast.alice.user)

    assert (await asynchronous(request)).content.decode() == "Alice owner 0"
