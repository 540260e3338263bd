"""The short way to an async view: the same URLconf without the page middleware.

An API call needs no session, CSRF token, message or page header, and no thread. Django's stack costs some
milliseconds a request for them, most of it in hops between the event loop and threads (the request signals,
synchronous middleware); this handler resolves the URL, calls the view and sends its answer.

It also does three things Django's does not: it refuses a large body before reading it, it cancels the view when
its client goes away (which ends the run), and every error leaves in the one JSON shape.
"""

import asyncio
import io
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar, cast

import structlog
from asgiref.sync import iscoroutinefunction
from channels.db import database_sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.http import HttpResponseBase
from django.urls import get_resolver, set_script_prefix

from config import access_log, request_ids
from config.asgi_types import Receive, Scope, Send
from config.error_responses import as_api_error, error_response, in_shape, internal_error
from config.errors import ApiError, BodyTooLarge, InvalidRequest
from config.large_bodies import BODY_LIMIT, body_limit

T = TypeVar("T")

_log = structlog.get_logger("runcode.hot_path")

# A larger declared body is not waited for: the connection is closed behind the refusal. A smaller one is let in
# and dropped, so that a client that sends first and reads later sees the refusal and not a broken pipe.
DRAINED_BODY: Final = 16 * 1024 * 1024

BODY_SECONDS: Final = 30.0

# No cookie or other authority that a browser adds by itself counts here, so any origin may call: who calls holds
# a key, and a key that is bound to origins is checked against them (docs/api.md, Browsers).
_ALWAYS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Request-ID",
    "Access-Control-Max-Age": "86400",
}


class ClientGone(Exception):
    """The client closed its connection before it had its answer."""


class BodyTooSlow(ApiError):
    """Raised by the transport alone: no view ever sees such a request."""

    status, code = 408, "body_too_slow"


class HotHandler(ASGIHandler):
    """Serves HTTP scopes of API paths. Synchronous views work too, each call in a thread of its own."""

    def load_middleware(self, is_async: bool = False) -> None:
        """None: that is the point. Called by Django's constructor."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        headers = dict(scope["headers"])
        outside = headers.get(b"x-request-id")
        request_id = request_ids.begin(outside.decode("latin-1") if outside is not None else None)
        status = access_log.CLIENT_GONE
        try:
            response = await self._answer(scope, headers, receive, request_id)
            self._finish(response, scope, request_id)
            status = response.status_code
            sent = self.send_response(response, send)
            await (cancelled_with_client(sent, receive) if response.streaming else sent)
        except ClientGone:
            pass
        finally:
            access_log.write(method=scope["method"], path=scope["path"], status=status, started=started)

    async def _answer(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, request_id: str
    ) -> HttpResponseBase:
        """The view's answer, or the error that stands for it."""
        try:
            body = await read_body(headers, receive, limit=await body_limit(scope))
            set_script_prefix(get_script_prefix(scope))
            request = _request(scope, body)
            response = await cancelled_with_client(self._view(request), receive)
            return in_shape(response, method=scope["method"], path=scope["path"])
        except ClientGone:
            raise
        except Exception as error:
            refusal = as_api_error(error)
            if refusal is None:
                _log.exception("view failed", path=access_log.masked(scope["path"]))
                refusal = internal_error(request_id)
            return error_response(refusal, path=scope["path"])

    async def _view(self, request: ASGIRequest) -> HttpResponseBase:
        match = get_resolver().resolve(request.path_info)
        request.resolver_match = match
        view: Callable[..., Any] = match.func
        if not iscoroutinefunction(view):
            view = database_sync_to_async(view, thread_sensitive=False)
        response: HttpResponseBase = await view(request, *match.args, **match.kwargs)
        return response

    def _finish(self, response: HttpResponseBase, scope: Scope, request_id: str) -> None:
        headers = response.headers
        for name, value in _ALWAYS.items():
            headers.setdefault(name, value)
        headers.setdefault("Cache-Control", "no-store")
        headers[request_ids.HEADER] = request_id
        if settings.SECURE_HSTS_SECONDS and scope["scheme"] == "https":
            headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
        if scope["method"] == "OPTIONS" and "Allow" in headers:
            headers["Access-Control-Allow-Methods"] = headers["Allow"]
            for name, value in _PREFLIGHT.items():
                headers.setdefault(name, value)
        content = getattr(response, "content", None)
        if content:
            headers.setdefault("Content-Length", str(len(content)))


def _request(scope: Scope, body: bytes) -> ASGIRequest:
    try:
        request = ASGIRequest(scope, io.BytesIO(body))
    except UnicodeDecodeError as error:
        raise InvalidRequest("The query string is not valid UTF-8.") from error
    # Read already and within our limit; Django would measure it against its limit for form posts.
    request._body = body
    return request


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, *, limit: int = BODY_LIMIT) -> bytes:
    """The whole body: at most `limit` bytes within `BODY_SECONDS`.

    Raises BodyTooLarge, BodyTooSlow and ClientGone.
    """
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit, close=int(declared) > DRAINED_BODY)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read_parts(receive, limit)
    except TimeoutError:
        text = f"The body did not arrive within {BODY_SECONDS:.0f} seconds."
        raise BodyTooSlow(text, headers={"Connection": "close"}) from None


async def _read_parts(receive: Receive, limit: int) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        # As nearly every body comes: in one part, which is not copied.
        whole: bytes = message.get("body", b"")
        return whole
    body = bytearray()
    while message["type"] == "http.request":
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit, close=True)
        if not message.get("more_body", False):
            return bytes(body)
        message = await receive()
    raise ClientGone


def _too_large(limit: int, *, close: bool) -> BodyTooLarge:
    text = f"The body is larger than {limit // 1024 // 1024} MB."
    return BodyTooLarge(text, headers={"Connection": "close"} if close else {})


async def cancelled_with_client(work: Awaitable[T], receive: Receive) -> T:
    """Await `work`; when the client goes away first, cancel it, let it clean up and raise ClientGone.

    To be called after the body was read: all that `receive` can bring then is the disconnect.
    """
    this_task = cast("asyncio.Task[object]", asyncio.current_task())
    gone = False

    async def watch() -> None:
        nonlocal gone
        await receive()
        gone = True
        this_task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        return await work
    except asyncio.CancelledError:
        # A cancellation that is not the watcher's is the server's, stopping.
        if not gone:
            raise
        this_task.uncancel()
        raise ClientGone from None
    finally:
        watcher.cancel()
