"""Widgets in the administration: to be looked at. They are made and changed by those whose pages carry them."""

from django.contrib import admin
from django.http import HttpRequest

from widgets.models import Widget


@admin.register(Widget)
class WidgetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("__str__", "organisation", "compiler", "theme", "height")
    list_select_related = ("key__organisation",)
    search_fields = ("key__name", "key__organisation__name")
    fields = ("organisation", "compiler", "theme", "height", "program")

    @admin.display(ordering="key__organisation__name")
    def organisation(self, widget: Widget) -> str:
        return str(widget.key.organisation)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Widget | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Widget | None = None) -> bool:
        return False
