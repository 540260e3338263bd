from django.urls import URLPattern, URLResolver, include, path, re_path

from billing.views import usage_by_secret

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("billing.pages_urls")),
    re_path(r"^cus/(?P<secret>[^/]+)/?$", usage_by_secret, name="usage-by-secret"),
]
