"""Settings: the reader's name, the organisation's name (owners), the way to e-mail, password and second factor."""

from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.current import MemberRequest, member_required, switch_organisation
from accounts.models import Membership


class ProfileForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        max_length=150,
        required=False,
        help_text="How you are shown to others of your organisation. Empty: your e-mail address.",
    )


class OrganisationForm(forms.Form):
    name = forms.CharField(label="Organisation’s name", max_length=150)


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: MemberRequest) -> HttpResponse:
    """Two forms, told apart by the name of the button that sent them; the second is for owners."""
    owner = request.membership.at_least(Membership.Role.OWNER)
    profile_data = request.POST if "profile" in request.POST else None
    organisation_data = request.POST if "organisation" in request.POST else None
    if organisation_data is not None and not owner:
        raise PermissionDenied(f"Only an owner of {request.organisation} may rename it.")
    profile = ProfileForm(profile_data, initial={"name": request.user.name}, prefix="profile")
    organisation = OrganisationForm(
        organisation_data, initial={"name": request.organisation.name}, prefix="organisation"
    )
    for form, named in ((profile, request.user), (organisation, request.organisation)):
        if form.is_bound and form.is_valid():
            named.name = form.cleaned_data["name"]
            # Only the name: the organisation may have got a new secret since it was read.
            named.save(update_fields=["name"])
            messages.success(request, "Saved.")
            return redirect("settings")
    context = {
        "profile": profile,
        "organisation": organisation if owner else None,
        "second_factor": is_mfa_enabled(request.user),
    }
    return render(request, "dashboard/settings.html", context)


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: HttpRequest) -> HttpResponse:
    """Makes another of the reader's organisations the current one; not found when it is none of theirs."""
    if request.method != "POST":
        return redirect("overview")
    chosen = request.POST.get("organisation", "")
    switch_organisation(request, organisation_id=int(chosen) if chosen.isdecimal() else 0)
    return redirect("overview")
