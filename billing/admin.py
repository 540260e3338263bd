"""Billing for staff: subscriptions can be changed, what was used and billed can only be looked at."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from billing.models import RunCharge, Subscription, UsagePeriod
from billing.subscriptions import announce


@admin.register(Subscription)
class SubscriptionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["organisation", "plan_id", "period_start", "period_end", "updated_at"]
    list_filter = ["plan_id"]
    list_select_related = ["organisation"]
    search_fields = ["organisation__name", "stripe_customer_id", "stripe_subscription_id"]
    autocomplete_fields = ["organisation"]
    readonly_fields = ["created_at", "updated_at"]

    def save_model(
        self, request: HttpRequest, obj: Subscription, form: "ModelForm[Subscription]", change: bool
    ) -> None:
        if change and "organisation" in form.changed_data:
            announce(form.initial["organisation"])
        super().save_model(request, obj, form, change)
        announce(obj.organisation_id)

    def delete_model(self, request: HttpRequest, obj: Subscription) -> None:
        super().delete_model(request, obj)
        announce(obj.organisation_id)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        organisations = list(queryset.values_list("organisation_id", flat=True))
        super().delete_queryset(request, queryset)
        for organisation_id in organisations:
            announce(organisation_id)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What the service itself writes: changing a row by hand would make the bill disagree with itself."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(UsagePeriod)
class UsagePeriodAdmin(ReadOnlyAdmin):
    list_display = ["organisation", "start", "end", "runs"]
    list_filter = ["start"]
    list_select_related = ["organisation"]
    search_fields = ["organisation__name"]


@admin.register(RunCharge)
class RunChargeAdmin(ReadOnlyAdmin):
    list_display = ["id", "organisation", "compiler", "outcome", "started_at", "wall_seconds", "cpu_seconds"]
    list_filter = ["outcome", "compiler", "key_kind"]
    list_select_related = ["organisation"]
    search_fields = ["=id", "organisation__name"]
    date_hierarchy = "started_at"
    # Counting all rows of the largest table on each page would take longer than the page.
    show_full_result_count = False
