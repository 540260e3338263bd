"""The paths of this app's pages, for people; those of the API stand in urls.py."""

from django.urls import URLPattern, URLResolver, path

from execution import pages_docs, pages_landing, pages_playground
from execution.callbacks import pages as callbacks

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages_landing.landing, name="landing"),
    path("docs/", pages_docs.docs, name="docs"),
    path("docs/<slug:slug>/", pages_docs.docs_page, name="docs_page"),
    path("docs/<slug:slug>.md", pages_docs.docs_source, name="docs_source"),
    path("dashboard/keys/<int:key_id>/callbacks/", callbacks.callbacks, name="callbacks"),
    path("dashboard/keys/<int:key_id>/callbacks/secret/", callbacks.rotate, name="rotate_callback_secret"),
    path("dashboard/keys/<int:key_id>/callbacks/resume/", callbacks.resume, name="resume_callbacks"),
    path("dashboard/runs/<int:run_id>/resend/", callbacks.resend, name="resend_run"),
    path("playground/", pages_playground.playground, name="playground"),
    path("playground/run/", pages_playground.playground_run, name="playground_run"),
]
