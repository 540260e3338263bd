"""The dashboard's page of live contexts, and what can be done with one of them.

Every member of the organisation sees all of its contexts; another organisation's is not found."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.current import MemberRequest, caller_of, member_required
from billing.subscriptions import plan_for
from config.errors import ApiError, NotFound, Unavailable
from execution.catalogue import COMPILERS
from execution.contexts.cells import scope_of, told
from execution.sandbox.cells import ContextInfo
from execution.sandbox.context_client import ContextClient
from execution.sandbox.job import MIB
from execution.sandbox.kernels import KERNELS
from execution.sandbox_clients import sandbox_client

# A page is not kept waiting for a supervisor that is just being restarted.
PATIENCE_SECONDS: Final = 2.0

# The kernels of `POST /execute`, which the console speaks to; others belong to the clients that opened them.
CONSOLE: Final = {"python": "Python", "typescript": "TypeScript"}

_BADGES: Final = {"idle": "", "busy": "success", "ended": "warning"}


@dataclass(frozen=True, slots=True)
class ShownContext:
    """A context as the pages show it."""

    info: ContextInfo

    @property
    def language(self) -> str:
        return CONSOLE.get(self.info.kernel) or COMPILERS[KERNELS[self.info.kernel].compiler].language

    @property
    def has_console(self) -> bool:
        return self.info.kernel in CONSOLE

    @property
    def name(self) -> str:
        """Enough of the id to tell it from the others."""
        return self.info.id[:8]

    @property
    def badge(self) -> str:
        return _BADGES[self.info.state]

    @property
    def memory(self) -> str:
        return f"{self.info.memory_bytes / MIB:.0f} MB"

    @property
    def opened_at(self) -> datetime:
        return datetime.fromtimestamp(self.info.opened_at, UTC)

    @property
    def expires_at(self) -> datetime:
        return datetime.fromtimestamp(self.info.expires_at, UTC)


@never_cache
@member_required
@require_safe
async def live_contexts(request: MemberRequest) -> HttpResponse:
    """The list; htmx gets it alone, again and again."""
    return await _listed(request)


@member_required
@require_POST
async def interrupt_context(request: MemberRequest, context_id: str) -> HttpResponse:
    """Ends the running cell, whoever sent it; the state stays where the language can keep it."""
    return await _done(request, context_id, ContextClient.interrupt, "Context {} was interrupted.")


@member_required
@require_POST
async def restart_context(request: MemberRequest, context_id: str) -> HttpResponse:
    """The same context with nothing in it."""
    return await _done(request, context_id, ContextClient.restart, "Context {} begins anew.")


@member_required
@require_POST
async def close_context(request: MemberRequest, context_id: str) -> HttpResponse:
    return await _done(request, context_id, ContextClient.close, "Context {} is closed.")


async def context_or_404(request: MemberRequest, context_id: str) -> ContextInfo:
    """A live context of the organisation. Raises Http404 and Unavailable."""
    try:
        async with told():
            contexts = ContextClient(sandbox_client())
            return await contexts.info(scope=scope_of(caller_of(request)), context_id=context_id)
    except NotFound as error:
        raise Http404(error.message) from None


async def _done(
    request: MemberRequest, context_id: str, action: Callable[..., Awaitable[object]], said: str
) -> HttpResponse:
    try:
        async with told():
            await action(ContextClient(sandbox_client()), scope=scope_of(caller_of(request)), context_id=context_id)
    except NotFound as error:
        raise Http404(error.message) from None
    except ApiError as refusal:
        if request.headers.get("HX-Request"):
            return await _listed(request, error=refusal.message)
        await sync_to_async(messages.error)(request, refusal.message)
        return redirect("live_contexts")
    if request.headers.get("HX-Request"):
        return await _listed(request)
    await sync_to_async(messages.success)(request, said.format(context_id[:8]))
    return redirect("live_contexts")


async def _listed(request: MemberRequest, *, error: str = "") -> HttpResponse:
    plan = await plan_for(request.organisation.pk)
    shown: list[ShownContext] = []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), told():
            listed = await ContextClient(sandbox_client()).listed(scope=scope_of(caller_of(request)))
            shown = [ShownContext(info) for info in listed]
    except (TimeoutError, Unavailable):
        error = "The host of the contexts does not answer right now. This list looks again by itself."
    context = {
        "contexts": shown,
        "error": error,
        "most": plan.live_contexts,
        "idle_minutes": plan.context_idle_seconds // 60,
    }
    part = "list" if request.headers.get("HX-Request") else "page"
    return await sync_to_async(render)(request, f"dashboard/contexts/{part}.html", context)
