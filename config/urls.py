"""The table of contents: every path of the service."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from config import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("execution.urls")),
    path("", include("billing.urls")),
    path("", include("accounts.urls")),
    path("", include("widgets.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    re_path(r"^healthz/?$", health.healthz, name="healthz"),
    re_path(r"^readyz/?$", health.readyz, name="readyz"),
]

handler400 = "config.error_views.bad_request"
handler403 = "config.error_views.permission_denied"
handler404 = "config.error_views.page_not_found"
handler500 = "config.error_views.server_error"
