"""The MCP server: two tools and the documentation, over the official SDK (contract, section 8).

It keeps no sessions: each HTTP request is whole in itself, so any process can answer any of them. The SDK's session
manager lives in one task for each event loop, for its task group may be left only by the task that entered it, and not
every server tells an application when it starts.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from mcp.server import Server, ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    TextResourceContents,
)

from accounts.caller import Caller
from execution import pages_docs
from execution.mcp_calls import SESSION_HEADER, Cancelled, until_cancelled
from execution.mcp_tools import TOOL_NAMES, TOOLS, Call, Report, call_tool

_log = structlog.get_logger("runcode.mcp")

# Where the HTTP layer leaves a `Session` in the ASGI scope.
SCOPE_KEY: Final = "runcode.mcp"

# Of what the tools take and answer, for clients that keep such things.
VERSION: Final = "1"
MARKDOWN: Final = "text/markdown"
INSTRUCTIONS: Final = (
    "Runs programs in many languages, each in a fresh sandbox without network. Call run_code with a whole program; "
    "call list_compilers first if you do not know the id of a language. The documentation stands in the resources."
)

Context = ServerRequestContext[Any, Any]


@dataclass(slots=True)
class Session:
    """What the HTTP layer knows of a request: who sent it, in which session (None: in none), and further headers for
    its answer."""

    caller: Caller
    name: str | None
    headers: dict[str, str] = field(default_factory=dict)


def _session(context: Context) -> Session:
    session: Session = context.request.scope[SCOPE_KEY]  # type: ignore[union-attr]
    return session


async def _name_sessions(ctx: Context, call_next: CallNext) -> HandlerResult:
    if ctx.method == "initialize":
        _session(ctx).headers[SESSION_HEADER] = secrets.token_hex(16)
    return await call_next(ctx)


async def _list_tools(_context: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
    return ListToolsResult(tools=list(TOOLS))


async def _call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
    if params.name not in TOOL_NAMES:
        raise MCPError(INVALID_PARAMS, f"There is no tool of this name. The tools are {' and '.join(TOOL_NAMES)}.")
    session = _session(context)
    report = _reporter(context) if context.meta and "progress_token" in context.meta else None
    work = call_tool(params.name, Call(session.caller, params.arguments or {}, session.headers, report))
    try:
        return await until_cancelled(work, caller=session.caller, session=session.name, id_=context.request_id)
    except Cancelled:
        raise MCPError(INTERNAL_ERROR, "The call was cancelled.") from None
    except Exception:
        _log.exception("a tool failed", tool=params.name)
        raise MCPError(INTERNAL_ERROR, "Something broke on our side. Try again in a moment.") from None


def _reporter(context: Context) -> Report:
    async def report(number: int, stage: str) -> None:
        await context.session.report_progress(number, message=stage)

    return report


async def _list_resources(_context: Context, _params: PaginatedRequestParams | None) -> ListResourcesResult:
    return ListResourcesResult(resources=await sync_to_async(_resources)())


def _resources() -> list[Resource]:
    documents = [(slug, pages_docs.load(slug)) for slug in pages_docs.slugs()]
    return [
        Resource(uri=_uri(slug), name=slug, title=page.title, description=page.lead, mime_type=MARKDOWN)
        for slug, page in documents
    ]


def _uri(slug: str) -> str:
    """The page's own address: what can fetch it needs no MCP to read it."""
    return f"{settings.PUBLIC_URL}/docs/{slug}.md"


async def _read_resource(_context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
    for slug in pages_docs.slugs():
        if _uri(slug) == params.uri:
            text = await sync_to_async(pages_docs.source)(slug)
            return ReadResourceResult(contents=[TextResourceContents(uri=params.uri, mime_type=MARKDOWN, text=text)])
    raise MCPError(INVALID_PARAMS, "There is no resource at this address.", {"uri": params.uri})


def _make_server() -> Server:
    server = Server(
        "runcode",
        version=VERSION,
        title="Runcode",
        description="Runs programs in a sandbox.",
        instructions=INSTRUCTIONS,
        website_url=settings.PUBLIC_URL,
        on_list_tools=_list_tools,
        on_call_tool=_call_tool,
        on_list_resources=_list_resources,
        on_read_resource=_read_resource,
    )
    server.middleware.append(_name_sessions)
    return server


class _Owner:
    """The task in which an event loop's session manager is entered and left."""

    def __init__(self) -> None:
        # Host and Origin are checked by the HTTP layer, which knows the key.
        self._manager = StreamableHTTPSessionManager(_make_server(), stateless=True)
        self._ready = asyncio.Event()
        self._task = asyncio.create_task(self._keep(), name="mcp")

    async def _keep(self) -> None:
        async with self._manager.run():
            self._ready.set()
            await asyncio.Event().wait()

    async def manager(self) -> StreamableHTTPSessionManager:
        await self._ready.wait()
        return self._manager

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


_owners: WeakKeyDictionary[asyncio.AbstractEventLoop, _Owner] = WeakKeyDictionary()


async def session_manager() -> StreamableHTTPSessionManager:
    """The running event loop's; started with its first request where nobody started it before."""
    loop = asyncio.get_running_loop()
    owner = _owners.get(loop)
    if owner is None:
        owner = _owners[loop] = _Owner()
    return await owner.manager()


@asynccontextmanager
async def mcp_service() -> AsyncIterator[None]:
    """Runs the MCP server of a web process from its start to its stop."""
    await session_manager()
    try:
        yield
    finally:
        await _owners.pop(asyncio.get_running_loop()).stop()
