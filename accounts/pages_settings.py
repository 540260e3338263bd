"""Settings: the reader's name, the way to e-mail, password and second factor; for owners the organisation's name and
what it keeps of its runs."""

from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.current import MemberRequest, member_required, switch_organisation
from accounts.models import Membership, Organisation, User


class ProfileForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        max_length=150,
        required=False,
        help_text="How you are shown to others of your organisation. Empty: your e-mail address.",
    )


class OrganisationForm(forms.Form):
    name = forms.CharField(label="Organisation’s name", max_length=150)


class HistoryForm(forms.Form):
    keep_sources = forms.BooleanField(
        label="Keep programs and their inputs",
        required=False,
        help_text="Without them a run can’t be looked at or run again.",
    )
    keep_outputs = forms.BooleanField(
        label="Keep outputs",
        required=False,
        help_text="What programs and compilers printed, and the files they left. How a run ended is always kept.",
    )


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: MemberRequest) -> HttpResponse:
    """Three forms, told apart by the name of the button that sent them; the last two are for owners."""
    owner = request.membership.at_least(Membership.Role.OWNER)
    if not owner and ("organisation" in request.POST or "history" in request.POST):
        raise PermissionDenied(f"Only an owner of {request.organisation} may change this.")
    organisation = request.organisation
    kept = {"keep_sources": organisation.keep_sources, "keep_outputs": organisation.keep_outputs}
    forms_by_name: dict[str, tuple[forms.Form, User | Organisation]] = {
        "profile": (
            ProfileForm(_sent(request, "profile"), initial={"name": request.user.name}, prefix="profile"),
            request.user,
        ),
        "organisation": (
            OrganisationForm(
                _sent(request, "organisation"), initial={"name": organisation.name}, prefix="organisation"
            ),
            organisation,
        ),
        "history": (HistoryForm(_sent(request, "history"), initial=kept, prefix="history"), organisation),
    }
    for form, changed in forms_by_name.values():
        if form.is_bound and form.is_valid():
            for name, value in form.cleaned_data.items():
                setattr(changed, name, value)
            # Only these: the organisation may have got a new secret since it was read.
            changed.save(update_fields=list(form.cleaned_data))
            messages.success(request, "Saved.")
            return redirect("settings")
    context = {
        "profile": forms_by_name["profile"][0],
        "organisation": forms_by_name["organisation"][0] if owner else None,
        "history": forms_by_name["history"][0] if owner else None,
        "second_factor": is_mfa_enabled(request.user),
    }
    return render(request, "dashboard/settings.html", context)


def _sent(request: MemberRequest, button: str) -> QueryDict | None:
    """The form's data, when it is the one whose button was pressed."""
    return request.POST if button in request.POST else None


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: HttpRequest) -> HttpResponse:
    """Makes another of the reader's organisations the current one; not found when it is none of theirs."""
    if request.method != "POST":
        return redirect("overview")
    chosen = request.POST.get("organisation", "")
    switch_organisation(request, organisation_id=int(chosen) if chosen.isdecimal() else 0)
    return redirect("overview")
