"""The dashboard's pages for callbacks: how a key's endpoint fares, its signing secret, and sending a result again.

Members see how it fares; the secret, and changing anything, takes an admin.
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.current import MemberRequest, member_required
from accounts.models import ApiKey, Membership
from execution.callbacks import endpoints
from execution.callbacks.resending import CannotResend, resend
from execution.models import Delivery, Endpoint

LATEST = 20


@never_cache
@member_required
@require_safe
def callbacks(request: MemberRequest, key_id: int) -> HttpResponse:
    """The page; the secret itself is only in the answer to `?show=1`."""
    key = _key_or_404(request, key_id)
    may_see = request.membership.at_least(Membership.Role.ADMIN)
    context = {
        "key": key,
        "endpoint": endpoints.endpoint_of(key.pk),
        "shown": may_see and request.GET.get("show") == "1",
        "latest": _latest(request, key),
    }
    part = "secret" if request.headers.get("HX-Request") else "page"
    return render(request, f"dashboard/callbacks/{part}.html", context)


@never_cache
@member_required(role=Membership.Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: MemberRequest, key_id: int) -> HttpResponse:
    """Asks first (GET), then replaces the signing secret (POST)."""
    key = _key_or_404(request, key_id)
    if request.method == "POST":
        endpoints.rotate_secret(endpoints.endpoint_of(key.pk))
        messages.success(request, "The signing secret is replaced. For a day the old one signs as well.")
        return redirect("callbacks", key.pk)
    return render(request, "dashboard/callbacks/rotate.html", {"key": key})


@member_required(role=Membership.Role.ADMIN)
@require_POST
def resume(request: MemberRequest, key_id: int) -> HttpResponse:
    key = _key_or_404(request, key_id)
    endpoints.resume(endpoints.endpoint_of(key.pk))
    messages.success(request, "Callbacks are resumed. What has waited is sent now.")
    return redirect("callbacks", key.pk)


@member_required
@require_POST
def resend_delivery(request: MemberRequest, delivery_id: int) -> HttpResponse:
    """Sends a result again, and returns to where the button stood."""
    delivery = get_object_or_404(Delivery, organisation=request.organisation, pk=delivery_id)
    try:
        resend(delivery)
    except CannotResend as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "The result is sent again.")
    if request.POST.get("from") == "key":
        return redirect("callbacks", delivery.endpoint.key_id)
    return redirect("run", delivery.run_id) if delivery.run_id else redirect("batch", delivery.batch_id)


def _key_or_404(request: MemberRequest, key_id: int) -> ApiKey:
    return get_object_or_404(ApiKey, organisation=request.organisation, pk=key_id)


def _latest(request: MemberRequest, key: ApiKey) -> list[Delivery]:
    found = Delivery.objects.filter(organisation=request.organisation, endpoint=Endpoint.objects.get(key=key))
    return list(found.select_related("endpoint").prefetch_related("attempts").defer("body")[:LATEST])
