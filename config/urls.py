"""The table of contents: every path of the service."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("execution.urls")),
    path("", include("billing.urls")),
    path("", include("accounts.urls")),
    path("", include("widgets.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
