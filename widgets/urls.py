from django.urls import URLPattern, URLResolver, path

from widgets import pages, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("widget.js", views.widget_js, name="widget_js"),
    path("lib/api.js", views.api_js, name="api_js"),
    path("dashboard/widgets/", pages.widgets, name="widgets"),
    path("dashboard/widgets/<int:widget_id>/", pages.widget, name="widget"),
    path("dashboard/widgets/<int:widget_id>/revoke/", pages.revoke_widget, name="revoke_widget"),
]
