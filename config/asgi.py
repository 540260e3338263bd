"""The one ASGI application: every protocol of the service on one port."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

# Below the set-up, because these import models.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.urls import re_path  # noqa: E402

from accounts import broadcast, last_used  # noqa: E402
from billing.metering import metering_service  # noqa: E402
from config.api_paths import is_api  # noqa: E402
from config.asgi_types import Receive, Scope, Send  # noqa: E402
from config.body_limit import BodyLimit  # noqa: E402
from config.celery import app as celery_app  # noqa: E402, F401 (messages are sent through it)
from config.hot_path import HotHandler  # noqa: E402
from config.lifespan import Lifespan, Service, background  # noqa: E402
from config.mcp_endpoint import PATHS as MCP_PATHS  # noqa: E402
from config.mcp_endpoint import mcp_endpoint  # noqa: E402
from config.static_files import StaticFiles  # noqa: E402
from config.websockets import nothing_here  # noqa: E402
from execution import history_retention  # noqa: E402
from execution.async_runs.service import queue_service  # noqa: E402
from execution.batches.worker import batch_service  # noqa: E402
from execution.callbacks.courier import courier_service  # noqa: E402
from execution.contexts import plan_changes  # noqa: E402
from execution.contexts.socket import context_socket  # noqa: E402
from execution.history import history_service  # noqa: E402
from execution.idempotency import expiry as idempotency_expiry  # noqa: E402
from execution.mcp_server import mcp_service  # noqa: E402
from execution.realtime import open_now  # noqa: E402
from execution.repl.socket import repl_socket  # noqa: E402
from execution.sandbox_clients import sandbox_connections  # noqa: E402
from execution.socket_io import is_socket_io, keep_sweeping, socket_io, socket_io_service  # noqa: E402
from execution.tickets import ticket_service  # noqa: E402
from execution.websocket import run_socket  # noqa: E402

# Entered in this order when the process starts, left in the reverse one when it stops.
SERVICES: list[Service] = [
    sandbox_connections,
    background(broadcast.listen),
    background(last_used.keep_writing),
    metering_service,
    history_service,
    batch_service,
    background(history_retention.keep_expiring),
    *([ticket_service] if settings.BROKER else [queue_service, courier_service]),
    background(open_now.keep_checking),
    background(plan_changes.keep_fitting),
    background(keep_sweeping),
    socket_io_service,
    mcp_service,
    background(idempotency_expiry.keep_expiring),
]

_static = StaticFiles()
_api = HotHandler()
_pages = BodyLimit(ASGIHandler(), settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


async def http(scope: Scope, receive: Receive, send: Send) -> None:
    """API paths take the short way, static files no way at all, everything else is a page."""
    if settings.HTTPS:
        # TLS ends at the proxy in front. The public address says so; a header could be anybody's.
        scope["scheme"] = "https"
    path = scope["path"]
    if path in MCP_PATHS:
        await mcp_endpoint(scope, receive, send)
    elif is_api(path):
        await _api(scope, receive, send)
    elif is_socket_io(path):
        await socket_io(scope, receive, send)
    elif file := _static.find(path):
        await _static.serve(file, scope, receive, send)
    else:
        await _pages(scope, receive, send)


application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": URLRouter(
            [
                # Channels gives these patterns ASGI applications, which Django's own types do not know.
                re_path(r"^ws/?$", repl_socket),  # type: ignore[arg-type]
                re_path(r"^ws/run/?$", run_socket),  # type: ignore[arg-type]
                re_path(r"^ws/contexts/(?P<context_id>[A-Za-z0-9_-]+)/?$", context_socket),  # type: ignore[arg-type]
                re_path(r"^socket\.io(/|$)", socket_io),  # type: ignore[arg-type]
                re_path(r"", nothing_here),  # type: ignore[arg-type]
            ]
        ),
        "lifespan": Lifespan(SERVICES),
    }
)
