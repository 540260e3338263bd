"""The dashboard's pages for widgets: list and make, try and change, revoke.

Members may look and try; making, changing and revoking takes an admin. A widget of another organisation is not found.
"""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.current import MemberRequest, member_required
from accounts.key_lifecycle import revoke_websocket_key
from accounts.models import Membership
from widgets.forms import WidgetForm
from widgets.lifecycle import change_widget, create_widget
from widgets.models import Widget
from widgets.snippets import attributes_of, snippet_of


@never_cache
@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def widgets(request: MemberRequest) -> HttpResponse:
    """The list of widgets and the form for a new one."""
    form = WidgetForm()
    if request.method == "POST":
        _need_admin(request)
        form = WidgetForm(request.POST)
        if form.is_valid():
            made = create_widget(organisation=request.organisation, created_by=request.user, **form.cleaned_data)
            messages.success(request, f"“{made}” is ready. Copy its lines into your page.")
            return redirect("widget", made.pk)
    everything = list(_of(request))
    return render(
        request,
        "dashboard/widgets/list.html",
        {
            "form": form,
            "live": [widget for widget in everything if widget.key.state == "live"],
            "ended": [widget for widget in everything if widget.key.state != "live"],
        },
    )


@never_cache
@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def widget(request: MemberRequest, widget_id: int) -> HttpResponse:
    """One widget: its lines, the editor itself to be tried, and what can be changed."""
    found = _widget_or_404(request, widget_id)
    form = WidgetForm(initial=WidgetForm.values_of_widget(found))
    if request.method == "POST":
        _need_admin(request)
        form = WidgetForm(request.POST, initial=WidgetForm.values_of_widget(found))
        if form.is_valid():
            change_widget(widget=found, **form.cleaned_data)
            messages.success(request, f"“{found}” is changed. Copy its lines again: pages keep those that they have.")
            return redirect("widget", found.pk)
        found.refresh_from_db()
    context = {"widget": found, "form": form, "attributes": attributes_of(found), "snippet": snippet_of(found)}
    return render(request, "dashboard/widgets/page.html", context)


@never_cache
@member_required(role=Membership.Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_widget(request: MemberRequest, widget_id: int) -> HttpResponse:
    """Asks first (GET), then revokes the widget's key (POST)."""
    found = _widget_or_404(request, widget_id)
    if request.method == "POST":
        revoke_websocket_key(key=found.key)
        messages.success(request, f"“{found}” is revoked. Pages that carry it can’t run anything any more.")
        return redirect("widgets")
    return render(request, "dashboard/widgets/revoke.html", {"widget": found})


def _need_admin(request: MemberRequest) -> None:
    if not request.membership.at_least(Membership.Role.ADMIN):
        raise PermissionDenied(f"Only an admin of {request.organisation} may make and change widgets.")


def _of(request: MemberRequest) -> QuerySet[Widget]:
    return Widget.objects.filter(key__organisation=request.organisation).select_related("key")


def _widget_or_404(request: MemberRequest, widget_id: int) -> Widget:
    return get_object_or_404(_of(request), pk=widget_id)
