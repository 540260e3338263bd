"""The dashboard's first page: how much of the plan is used, and what a new account does next."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.current import MemberRequest, member_required
from billing.usage import Usage, usage_of


@never_cache
@member_required
@require_safe
def overview(request: MemberRequest) -> HttpResponse:
    usage = usage_of(request.organisation.pk)
    keys = request.organisation.api_keys.live().count()
    context = {
        "usage": usage,
        "plan": usage.plan,
        "percent": percent_used(usage),
        "api_keys": keys,
        "step": next_step(keys=keys, runs_used=usage.runs_used),
    }
    return render(request, "dashboard/overview.html", context)


def percent_used(usage: Usage) -> int:
    """0 to 100, rounded down, so that 100 means that nothing is left."""
    return min(100, 100 * usage.runs_used // usage.plan.runs_per_month)


def next_step(*, keys: int, runs_used: int) -> str:
    """What an account has not done yet: `key`, `run`, or nothing."""
    if not keys:
        return "key"
    return "" if runs_used else "run"
