"""The paths of this app's pages, for people; those of the API stand in urls.py."""

from django.urls import URLPattern, URLResolver, path

from execution import (
    pages_batches,
    pages_console,
    pages_context_files,
    pages_contexts,
    pages_docs,
    pages_landing,
    pages_playground,
    pages_runs,
)
from execution.callbacks import pages as callbacks

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages_landing.landing, name="landing"),
    path("docs/", pages_docs.docs, name="docs"),
    path("docs/<slug:slug>/", pages_docs.docs_page, name="docs_page"),
    path("docs/<slug:slug>.md", pages_docs.docs_source, name="docs_source"),
    path("dashboard/keys/<int:key_id>/callbacks/", callbacks.callbacks, name="callbacks"),
    path("dashboard/keys/<int:key_id>/callbacks/secret/", callbacks.rotate, name="rotate_callback_secret"),
    path("dashboard/keys/<int:key_id>/callbacks/resume/", callbacks.resume, name="resume_callbacks"),
    path("dashboard/runs/", pages_runs.runs, name="runs"),
    path("dashboard/runs/<int:run_id>/", pages_runs.run, name="run"),
    path("dashboard/runs/<int:run_id>/again/", pages_runs.run_again, name="run_again"),
    path("dashboard/runs/<int:run_id>/cancel/", pages_runs.cancel_run, name="cancel_run"),
    path("dashboard/runs/<int:run_id>/remove/", pages_runs.remove_run, name="remove_run"),
    path("dashboard/runs/<int:run_id>/share/", pages_runs.share_run, name="share_run"),
    path("dashboard/runs/<int:run_id>/unshare/", pages_runs.unshare_run, name="unshare_run"),
    path("dashboard/batches/", pages_batches.batches, name="batches"),
    path("dashboard/batches/<int:batch_id>/", pages_batches.batch, name="batch"),
    path("dashboard/batches/<int:batch_id>/cancel/", pages_batches.cancel_batch, name="cancel_batch"),
    path("dashboard/contexts/", pages_contexts.live_contexts, name="live_contexts"),
    path("dashboard/contexts/<slug:context_id>/interrupt/", pages_contexts.interrupt_context, name="interrupt_live"),
    path("dashboard/contexts/<slug:context_id>/restart/", pages_contexts.restart_context, name="restart_live"),
    path("dashboard/contexts/<slug:context_id>/close/", pages_contexts.close_context, name="close_live"),
    path("dashboard/console/", pages_console.console, name="console"),
    path("dashboard/console/run/", pages_console.console_run, name="console_run"),
    path("dashboard/console/output/", pages_console.console_output, name="console_output"),
    path("dashboard/console/<slug:context_id>/", pages_console.console, name="context_console"),
    path("dashboard/console/<slug:context_id>/files/", pages_context_files.context_files, name="context_files_page"),
    path("dashboard/console/<slug:context_id>/files/send/", pages_context_files.send_files, name="send_files"),
    path("dashboard/console/<slug:context_id>/files/remove/", pages_context_files.remove_file, name="remove_file"),
    path(
        "dashboard/console/<slug:context_id>/files/get/<path:path>",
        pages_context_files.fetch_file,
        name="fetch_file",
    ),
    path("r/<slug:token>/", pages_runs.shared_run, name="shared_run"),
    path("dashboard/deliveries/<int:delivery_id>/resend/", callbacks.resend_delivery, name="resend_delivery"),
    path("playground/", pages_playground.playground, name="playground"),
    path("playground/run/", pages_playground.playground_run, name="playground_run"),
]
