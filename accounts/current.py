"""The organisation a signed-in person is working in, and what they may do there.

    @member_required
    def api_keys(request: MemberRequest) -> HttpResponse:
        return render(request, ..., {"keys": request.organisation.api_keys.all()})

    @member_required(role=Membership.Role.ADMIN)
    async def rotate(request: MemberRequest) -> HttpResponse: ...

The choice is kept in the session and only ever counts among the person's memberships, so that losing one takes
effect on the next request. Without a choice it is the person's own organisation.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast, overload

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django_htmx.http import HttpResponseClientRedirect

from accounts.caller import Caller
from accounts.models import Membership, Organisation, User
from accounts.organisations import ensure_personal_organisation

SESSION_KEY = "organisation"

View = Callable[..., Any]


class MemberRequest(HttpRequest):
    """What a view behind `member_required` gets."""

    user: User
    membership: Membership
    organisation: Organisation


def caller_of(request: MemberRequest) -> Caller:
    """The member in the place of a key. Keys have positive ids, so each member has the limits of a key of their own."""
    return Caller(organisation_id=request.organisation.pk, key_id=-request.user.pk, kind="api")


def memberships_of(user: User) -> list[Membership]:
    """The person's memberships with their organisations: their own first, the others by name."""
    memberships = user.memberships.select_related("organisation").order_by("organisation__name", "pk")
    return sorted(memberships, key=lambda membership: membership.organisation.personal_of_id != user.pk)


def current_membership(request: HttpRequest) -> Membership | None:
    """The membership the person works with now; None when nobody is signed in. Asks the database once a request."""
    if not request.user.is_authenticated:
        return None
    user = request.user
    known: Membership | None = getattr(request, "membership", None)
    if known is not None and known.user_id == user.pk:
        return known
    memberships = memberships_of(user)
    if not memberships:
        # Somebody made on the command line, or whose last organisation was taken away.
        ensure_personal_organisation(user=user)
        memberships = memberships_of(user)
    chosen = request.session.get(SESSION_KEY)
    membership = next((one for one in memberships if one.organisation_id == chosen), memberships[0])
    cast("MemberRequest", request).membership = membership
    return membership


def switch_organisation(request: HttpRequest, *, organisation_id: int) -> Membership:
    """Makes another of the person's organisations the current one; Http404 when they are no member of it."""
    user = cast("User", request.user)
    for membership in memberships_of(user):
        if membership.organisation_id == organisation_id:
            request.session[SESSION_KEY] = organisation_id
            cast("MemberRequest", request).membership = membership
            return membership
    raise Http404("No such organisation.")


@overload
def member_required(view: View, /) -> View: ...
@overload
def member_required(*, role: str = Membership.Role.MEMBER) -> Callable[[View], View]: ...
def member_required(
    view: View | None = None, /, *, role: str = Membership.Role.MEMBER
) -> View | Callable[[View], View]:
    """Lets signed-in members in, with `request.organisation` and `request.membership` set; for views of both colours.

    Nobody signed in: off to the sign-in page and back. A member whose role is below `role`: 403.
    """
    if view is None:
        return lambda view: _guarded(view, role)
    return _guarded(view, role)


def _guarded(view: View, role: str) -> View:
    if iscoroutinefunction(view):

        @wraps(view)
        async def asynchronous(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            refusal = await sync_to_async(_refusal)(request, role)
            return refusal or await view(request, *args, **kwargs)

        return asynchronous

    @wraps(view)
    def synchronous(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return _refusal(request, role) or view(request, *args, **kwargs)

    return synchronous


def _refusal(request: HttpRequest, role: str) -> HttpResponse | None:
    membership = current_membership(request)
    if membership is None:
        back = redirect_to_login(request.get_full_path())
        # A fragment of a page would otherwise be replaced by the whole sign-in page.
        return HttpResponseClientRedirect(back.url) if request.headers.get("HX-Request") else back
    if not membership.at_least(role):
        raise PermissionDenied(
            f"Only an {Membership.Role(role).label.lower()} of {membership.organisation} may do this."
        )
    cast("MemberRequest", request).organisation = membership.organisation
    return None
