from django.urls import URLPattern, URLResolver, include, path, re_path

from execution import views

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^api/run-code-sync/?$", views.run_code_sync, name="run_code_sync"),
    re_path(r"^v1/execute/?$", views.v1_execute, name="v1_execute"),
    re_path(r"^api/compilers/?$", views.compilers, name="compilers"),
    path("", include("execution.pages_urls")),
]
