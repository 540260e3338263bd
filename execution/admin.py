"""Runs and callbacks for staff, to look at: how they fare. What customers' programs are and print is not shown."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.admin import ReadOnlyAdmin
from execution.models import Delivery, DeliveryAttempt, Endpoint, Run


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ["id", "organisation", "surface", "compiler", "status", "outcome", "created_at", "attempts"]
    list_filter = ["status", "surface", "outcome", "compiler"]
    list_select_related = ["organisation"]
    search_fields = ["=id", "=uuid", "organisation__name"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        found: QuerySet[Run] = super().get_queryset(request)
        return found.defer("request", "stdout", "stderr", "compile_output", "files")


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    list_display = ["key", "failures", "failing_since", "paused_at", "paused_because"]
    list_filter = ["paused_at"]
    list_select_related = ["key"]
    search_fields = ["key__name", "key__organisation__name"]


class AttemptInline(admin.TabularInline):  # type: ignore[type-arg]
    model = DeliveryAttempt
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["webhook_id", "organisation", "state", "attempts_made", "next_attempt_at", "delivered_at"]
    list_filter = ["state"]
    list_select_related = ["organisation"]
    search_fields = ["=webhook_id", "organisation__name"]
    inlines = [AttemptInline]
    show_full_result_count = False
