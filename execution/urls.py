from django.urls import URLPattern, URLResolver, include, path, re_path

from execution import history_views, mcp_metadata, views
from execution.async_runs import views as async_views
from execution.batches import views as batch_views
from execution.callbacks import views as callback_views
from execution.contexts import file_views
from execution.contexts import views as context_views
from execution.openapi import views as openapi_views
from execution.repl import views as repl_views

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^api/run-code-sync/?$", views.run_code_sync, name="run_code_sync"),
    re_path(r"^api/run-code/?$", async_views.run_code, name="run_code"),
    re_path(r"^v1/execute/?$", views.v1_execute, name="v1_execute"),
    re_path(r"^api/compilers/?$", views.compilers, name="compilers"),
    re_path(r"^api/runs/?$", history_views.runs, name="runs_api"),
    re_path(r"^api/runs/(?P<run_id>[0-9]+)/?$", history_views.run, name="run_api"),
    re_path(r"^api/runs/(?P<run_id>[0-9]+)/cancel/?$", history_views.cancel, name="cancel_run_api"),
    re_path(
        r"^\.well-known/oauth-protected-resource(?:/mcp)?/?$", mcp_metadata.protected_resource, name="mcp_metadata"
    ),
    re_path(r"^api/runs/(?P<run_id>[0-9]+)/deliveries/?$", callback_views.run_deliveries, name="deliveries_api"),
    re_path(r"^api/runs/(?P<run_id>[0-9]+)/deliveries/resend/?$", callback_views.resend_run, name="resend_api"),
    re_path(r"^execute/?$", context_views.execute, name="execute"),
    re_path(r"^contexts/?$", context_views.contexts, name="contexts"),
    re_path(r"^contexts/(?P<context_id>[A-Za-z0-9_-]+)/?$", context_views.context, name="context"),
    re_path(
        r"^contexts/(?P<context_id>[A-Za-z0-9_-]+)/interrupt/?$", context_views.interrupt, name="interrupt_context"
    ),
    re_path(r"^contexts/(?P<context_id>[A-Za-z0-9_-]+)/restart/?$", context_views.restart, name="restart_context"),
    re_path(r"^contexts/(?P<context_id>[A-Za-z0-9_-]+)/files/?$", file_views.files, name="context_files"),
    re_path(r"^contexts/(?P<context_id>[A-Za-z0-9_-]+)/files/(?P<path>[\s\S]+)$", file_views.file, name="context_file"),
    re_path(r"^eval/?$", repl_views.evaluate, name="eval"),
    re_path(r"^api/run-code-batch/?$", batch_views.run_code_batch, name="run_code_batch"),
    re_path(r"^api/batches/?$", batch_views.batches, name="batches_api"),
    re_path(r"^api/batches/(?P<batch_id>[0-9]+)/?$", batch_views.batch, name="batch_api"),
    re_path(r"^api/batches/(?P<batch_id>[0-9]+)/cancel/?$", batch_views.cancel, name="cancel_batch_api"),
    re_path(
        r"^api/batches/(?P<batch_id>[0-9]+)/deliveries/?$",
        callback_views.batch_deliveries,
        name="batch_deliveries_api",
    ),
    re_path(
        r"^api/batches/(?P<batch_id>[0-9]+)/deliveries/resend/?$",
        callback_views.resend_batch,
        name="resend_batch_api",
    ),
    path("api/openapi.json", openapi_views.openapi_json, name="openapi_json"),
    path("api/openapi.yaml", openapi_views.openapi_yaml, name="openapi_yaml"),
    path("", include("execution.pages_urls")),
]
