"""The account secret: shown on request, replaced on confirmation. Admins may see it, only owners replace it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.current import MemberRequest, member_required
from accounts.models import Membership
from accounts.organisations import rotate_account_secret


@never_cache
@member_required(role=Membership.Role.ADMIN)
@require_safe
def secret(request: MemberRequest) -> HttpResponse:
    """The page; the secret itself is only in the answer to `?show=1`."""
    template = "dashboard/secret_value.html" if request.headers.get("HX-Request") else "dashboard/secret.html"
    return render(request, template, {"shown": request.GET.get("show") == "1"})


@never_cache
@member_required(role=Membership.Role.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def rotate_secret(request: MemberRequest) -> HttpResponse:
    """Asks first (GET), then replaces it (POST)."""
    if request.method == "POST":
        rotate_account_secret(organisation=request.organisation)
        messages.success(request, "The secret is replaced. Whatever used the old one needs the new one.")
        return redirect("secret")
    return render(request, "dashboard/rotate_secret.html")
