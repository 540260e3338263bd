"""The dashboard's pages for keys: list and make, change, revoke. Both kinds share them, `KeyPages` is the difference.

Members may look; making, changing and revoking takes an admin. A key of another organisation is not found.
A key's plain text is only ever in the answer to the request that made it, so that answer is no redirect."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.current import MemberRequest, member_required
from accounts.forms import ApiKeyForm, KeyForm, WebSocketKeyForm
from accounts.key_lifecycle import (
    change_api_key,
    change_websocket_key,
    create_api_key,
    create_websocket_key,
    revoke_api_key,
    revoke_websocket_key,
)
from accounts.models import ApiKey, Key, Membership, WebSocketKey

EXAMPLE_KEY_NAME = "Documentation examples"


def _create_websocket_key(**arguments: Any) -> tuple[WebSocketKey, str]:
    key = create_websocket_key(**arguments)
    return key, key.value


@dataclass(frozen=True, slots=True)
class KeyPages:
    """One kind of key. `slug` names its URLs and templates, `noun` is what people read."""

    slug: str
    noun: str
    model: type[ApiKey] | type[WebSocketKey]
    form: type[KeyForm]
    create: Callable[..., tuple[Key, str]]
    change: Callable[..., None]
    revoke: Callable[..., None]

    @property
    def list_url(self) -> str:
        return f"{self.slug}_keys"

    @property
    def change_url(self) -> str:
        return f"{self.slug}_key"

    @property
    def revoke_url(self) -> str:
        return f"revoke_{self.slug}_key"


API = KeyPages("api", "API key", ApiKey, ApiKeyForm, create_api_key, change_api_key, revoke_api_key)
WEBSOCKET = KeyPages(
    "websocket",
    "WebSocket key",
    WebSocketKey,
    WebSocketKeyForm,
    _create_websocket_key,
    change_websocket_key,
    revoke_websocket_key,
)


@never_cache
@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: MemberRequest, pages: KeyPages) -> HttpResponse:
    """The list of keys and the form for a new one; a POST makes it and shows it this once."""
    form = pages.form()
    made: dict[str, Any] = {}
    if request.method == "POST":
        _need_admin(request)
        form = pages.form(request.POST)
        if form.is_valid():
            key, plain = pages.create(organisation=request.organisation, created_by=request.user, **form.cleaned_data)
            made = {"made": key, "plain": plain}
            form = pages.form()
    context = {"pages": pages, "form": form, **_listed(request, pages), **made}
    return render(request, _template(request, "page.html", "section.html"), context)


@member_required(role=Membership.Role.ADMIN)
@require_POST
def example_key(request: MemberRequest) -> HttpResponse:
    """Makes a key for the documentation's examples: `{"key": "rk_…"}`."""
    _, plain = create_api_key(organisation=request.organisation, created_by=request.user, name=EXAMPLE_KEY_NAME)
    return JsonResponse({"key": plain}, status=201, headers={"Cache-Control": "no-store"})


@never_cache
@member_required(role=Membership.Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def change_key(request: MemberRequest, pages: KeyPages, key_id: int) -> HttpResponse:
    key = _key_or_404(request, pages, key_id, revoked_at=None)
    form = pages.form(request.POST or None, initial=KeyForm.values_of(key))
    if request.method == "POST" and form.is_valid():
        pages.change(key=key, **form.cleaned_data)
        messages.success(request, f"“{key.name}” is changed, from the next call on.")
        return redirect(pages.list_url)
    return render(request, "dashboard/keys/change.html", {"pages": pages, "key": key, "form": form})


@never_cache
@member_required(role=Membership.Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_key(request: MemberRequest, pages: KeyPages, key_id: int) -> HttpResponse:
    """Asks first (GET), then revokes (POST)."""
    key = _key_or_404(request, pages, key_id)
    if request.method == "POST":
        pages.revoke(key=key)
        messages.success(request, f"“{key.name}” is revoked. Calls with it are refused from now on.")
        return redirect(pages.list_url)
    template = _template(request, "revoke.html", "revoke_row.html")
    return render(request, template, {"pages": pages, "key": key})


def _template(request: HttpRequest, whole: str, part: str) -> str:
    """The part of the page that htmx puts in place, or the whole page."""
    return f"dashboard/keys/{part if request.headers.get('HX-Request') else whole}"


def _need_admin(request: MemberRequest) -> None:
    if not request.membership.at_least(Membership.Role.ADMIN):
        raise PermissionDenied(f"Only an admin of {request.organisation} may make keys.")


def _key_or_404(request: MemberRequest, pages: KeyPages, key_id: int, **further: Any) -> Any:
    return get_object_or_404(pages.model, organisation=request.organisation, pk=key_id, **further)


def _listed(request: MemberRequest, pages: KeyPages) -> dict[str, list[Any]]:
    """The keys that open something, and those that no longer do."""
    everything: list[Any] = list(pages.model.objects.filter(organisation=request.organisation))
    return {
        "live": [key for key in everything if key.state == "live"],
        "ended": [key for key in everything if key.state != "live"],
    }
