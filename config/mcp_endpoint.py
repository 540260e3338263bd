"""`/mcp` over HTTP: who may come in, before the MCP server sees the request.

Refused here, in the one error shape of the service: no or a foreign key, a foreign Host (DNS rebinding) or Origin, a
method other than POST (the server keeps no sessions, so there is no stream to GET and nothing to DELETE), another
content type, a large body. The Model Context Protocol wants an Origin to be checked wherever one is sent: our own is
good, and one that the key is bound to.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from accounts.authentication import authenticate, presented_key
from accounts.caller import Caller
from accounts.client_ip import client_ip
from config import access_log, request_ids
from config.asgi_types import Receive, Scope, Send
from config.error_responses import as_api_error, internal_error
from config.errors import (
    InvalidRequest,
    MethodNotAllowed,
    NotAuthenticated,
    PermissionDenied,
    UnsupportedMediaType,
)
from config.held_answer import HeldAnswer
from config.hot_path import ClientGone, read_body
from execution.mcp_calls import heed_cancellation
from execution.mcp_server import SCOPE_KEY, Session, session_manager

_log = structlog.get_logger("runcode.mcp")

PATHS: Final = frozenset({"/mcp", "/mcp/"})
METADATA_PATH: Final = "/.well-known/oauth-protected-resource/mcp"

_ALWAYS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Mcp-Session-Id, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-ID"
    ),
    "X-Content-Type-Options": "nosniff",
}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Accept, Authorization, Content-Type, Mcp-Method, Mcp-Name, MCP-Protocol-Version, Mcp-Session-Id, X-API-Key"
    ),
    "Access-Control-Max-Age": "86400",
    "Allow": "POST, OPTIONS",
}


async def mcp_endpoint(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application of `PATHS`."""
    started = time.perf_counter()
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    request_id = request_ids.begin(headers.get("x-request-id"))
    extra = {**_ALWAYS, request_ids.HEADER: request_id}
    answer = HeldAnswer(send, extra)
    try:
        if scope["method"] == "OPTIONS":
            await answer.plain(HTTPStatus.NO_CONTENT, _PREFLIGHT)
        else:
            await _serve(scope, headers, receive, answer)
    except ClientGone:
        pass
    except Exception as error:
        refusal = as_api_error(error)
        if refusal is None:
            _log.exception("the MCP endpoint failed")
            refusal = internal_error(request_id)
        if answer.status is None:
            await answer.refusal(refusal)
    finally:
        status = access_log.CLIENT_GONE if answer.status is None else answer.status
        access_log.write(method=scope["method"], path=scope["path"], status=status, started=started)


async def _serve(scope: Scope, headers: Mapping[str, str], receive: Receive, answer: HeldAnswer) -> None:
    _check_host(headers.get("host", ""))
    caller = await _caller(scope, headers)
    _check_origin(headers.get("origin"), caller)
    if scope["method"] != "POST":
        raise MethodNotAllowed(f"This address takes POST, not {scope['method']}.", headers={"Allow": "POST, OPTIONS"})
    _check_content_type(headers.get("content-type", ""))
    body = await read_body(dict(scope["headers"]), receive)
    session = Session(caller, headers.get("mcp-session-id"))
    await heed_cancellation(body, caller=caller, session=session.name)
    answer.later = session.headers
    manager = await session_manager()
    await manager.handle_request({**scope, SCOPE_KEY: session}, _replayed(body, receive), answer)


def _check_host(host: str) -> None:
    domain, _ = split_domain_port(host.lower())
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        raise InvalidRequest(
            "This service is not known by the name in the Host header. Use its public address, or let its operator "
            "add the name to RUNCODE_ALLOWED_HOSTS."
        )


async def _caller(scope: Scope, headers: Mapping[str, str]) -> Caller:
    """Raises NotAuthenticated with the challenge of RFC 9728, which tells clients where to learn more."""
    try:
        return await authenticate(headers=headers, client_ip=client_ip(scope), origin=headers.get("origin"), kind="api")
    except NotAuthenticated as error:
        challenge = f'Bearer resource_metadata="{settings.PUBLIC_URL}{METADATA_PATH}"'
        if presented_key(headers):
            challenge += ', error="invalid_token"'
        error.headers["WWW-Authenticate"] = challenge
        raise


def _check_origin(origin: str | None, caller: Caller) -> None:
    if origin is not None and not caller.bound_to_origins and origin.lower() != _own_origin():
        raise PermissionDenied(
            "This key may not be used by pages of other origins here. Bind a key to that origin in your dashboard.",
            code="foreign_origin",
        )


def _own_origin() -> str:
    scheme, _, rest = settings.PUBLIC_URL.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}".lower()


def _check_content_type(content_type: str) -> None:
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("The body must be JSON. Send the header Content-Type: application/json.")


def _replayed(body: bytes, receive: Receive) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Brings the body that was read already, then whatever else comes: the client's going away."""
    first = True

    async def replay() -> dict[str, Any]:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return dict(await receive())

    return replay
