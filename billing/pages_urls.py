"""The paths of this app's pages, for people."""

from django.urls import URLPattern, URLResolver, path

from billing import pages, pages_overview

urlpatterns: list[URLPattern | URLResolver] = [
    path("pricing/", pages.pricing, name="pricing"),
    path("dashboard/", pages_overview.overview, name="overview"),
]
