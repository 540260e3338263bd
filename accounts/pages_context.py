"""What every page's template may ask about the reader. Lazy: a page that does not ask costs no query."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.current import current_membership, memberships_of
from accounts.models import Membership, User


def reader(request: HttpRequest) -> dict[str, Any]:
    """`membership` the one the reader works with (falsy when signed out), `memberships` all of them,
    `may_manage` whether they may make and revoke keys, `is_owner` whether they own the organisation."""

    def memberships() -> list[Membership]:
        return memberships_of(request.user) if isinstance(request.user, User) else []

    def at_least(role: str) -> bool:
        membership = current_membership(request)
        return membership is not None and membership.at_least(role)

    return {
        "membership": SimpleLazyObject(lambda: current_membership(request)),
        "memberships": SimpleLazyObject(memberships),
        "may_manage": SimpleLazyObject(lambda: at_least(Membership.Role.ADMIN)),
        "is_owner": SimpleLazyObject(lambda: at_least(Membership.Role.OWNER)),
    }
