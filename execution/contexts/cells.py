"""The door to contexts: whoever runs a cell, over whichever surface, comes through `run_cell`.

As `execution.runs` does it for programs: plan, admission, the kernel, the bill. A cell is a run of the quota. One whose
client goes away is interrupted, and billed: what it did stays in its context.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import structlog

from accounts.caller import Caller
from billing.charges import RunUsage
from billing.plans import Plan
from billing.subscriptions import plan_for
from config.errors import Conflict, FieldError, InvalidRequest, LimitExceeded, NotFound, Unavailable
from execution.capacity import admit_run, admit_to_queue, limits_for
from execution.catalogue import COMPILERS
from execution.contexts.requests import ExecuteRequest
from execution.sandbox.cells import Cell, CellResult, ContextInfo, Item
from execution.sandbox.context_client import ContextClient
from execution.sandbox.errors import (
    ContextBusy,
    ContextEnded,
    ContextFileRefused,
    ContextFileUnknown,
    ContextsFull,
    ContextUnknown,
    SandboxError,
    ToolchainMissing,
)
from execution.sandbox.kernels import KERNELS
from execution.sandbox.live import Live
from execution.sandbox_clients import sandbox_client

_log = structlog.get_logger("runcode.contexts")


@dataclass(frozen=True, slots=True)
class CellAnswer:
    """A billed cell. `headers` (RateLimit, RateLimit-Policy) belong on whatever answer its surface makes of it."""

    context_id: str
    result: CellResult
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who sees a cell while it runs. `on_begin` gets the context's id and the headers of the answer, once it is certain
    that the cell is carried out. `feeds`: it also gives the cell its standard input, through `live`."""

    live: Live
    on_begin: Callable[[str, Mapping[str, str]], None]
    on_item: Callable[[Item], None]
    feeds: bool = False


async def run_cell(
    *,
    caller: Caller,
    request: ExecuteRequest,
    watcher: Watcher | None = None,
    connection: str | None = None,
    run_id: UUID | None = None,
    scope: str | None = None,
) -> CellAnswer:
    """Runs a cell in the context that it names, or in a new one. `watcher` sees it while it runs; `connection` is the
    id of the WebSocket connection that it came over; `run_id` is the id to bill it under, once however often. `scope`
    tells whose context it is, where it is not the organisation's at large.

    Raises NotFound for a context that is not the caller's, InvalidRequest for one of another language, Conflict
    (`context_ended`), LimitExceeded and Unavailable; nothing is billed then.
    """
    plan = await plan_for(caller.organisation_id)
    contexts, scope = ContextClient(sandbox_client()), scope or scope_of(caller)
    async with admit_run(caller, plan, run_id=run_id or uuid4(), connection=connection) as admission, told():
        kernel = await _kernel_of(request, contexts, scope)
        context_id = request.context_id or (await _open(kernel, plan, contexts, scope)).id
        started_at = datetime.now(UTC)
        cell = Cell(
            request.code,
            seconds=min(request.timeout, plan.limits.wall_seconds),
            stdin=request.input,
            streamed=watcher is not None and watcher.feeds,
            env=request.env,
            output_bytes=plan.limits.output_bytes,
        )
        if watcher is not None:
            watcher.on_begin(context_id, admission.headers)
        try:
            result = await contexts.execute(
                scope=scope,
                context_id=context_id,
                cell=cell,
                live=watcher.live if watcher else None,
                on_item=watcher.on_item if watcher else None,
            )
        except asyncio.CancelledError:
            admission.settle(_interrupted(kernel, started_at))
            raise
        admission.settle(
            RunUsage(
                compiler=KERNELS[kernel].compiler,
                outcome=result.outcome.value,
                started_at=started_at,
                wall_seconds=result.wall_seconds,
                cpu_seconds=result.cpu_seconds,
                memory_bytes=result.memory_bytes,
            )
        )
    return CellAnswer(context_id, result, admission.headers)


async def open_context(caller: Caller, kernel: str) -> ContextInfo:
    """A new context in which no cell has run yet. Opening counts against the key's rate and is no run of the quota; who
    has no run left opens none.

    Raises LimitExceeded and Unavailable.
    """
    plan = await plan_for(caller.organisation_id)
    await admit_to_queue(caller, plan, waiting=1)
    async with told():
        return await _open(kernel, plan, ContextClient(sandbox_client()), scope_of(caller))


def scope_of(caller: Caller) -> str:
    """Whose contexts a caller's are: its organisation's."""
    return str(caller.organisation_id)


@asynccontextmanager
async def told() -> AsyncIterator[None]:
    """Says what the sandbox refuses in the API's words."""
    try:
        yield
    except ContextUnknown as error:
        raise NotFound(str(error)) from None
    except ContextEnded as error:
        raise Conflict(str(error), code="context_ended") from None
    except ContextFileUnknown as error:
        raise NotFound(str(error)) from None
    except ContextFileRefused as error:
        raise Conflict(str(error), code="file_refused") from None
    except ContextsFull as error:
        raise LimitExceeded(str(error), code="context_limit", headers={"Retry-After": "10"}) from None
    except ContextBusy as error:
        raise LimitExceeded(str(error), code="context_busy", headers={"Retry-After": "1"}) from None
    except ToolchainMissing:
        raise Unavailable(
            "This language's contexts are not installed here. GET /api/compilers/ lists what is available.",
            code="toolchain_unavailable",
        ) from None
    except SandboxError as error:
        _log.error("a context failed", error=str(error))
        raise Unavailable(
            "The cell could not be run right now; this is our fault and is not counted. Try again in a moment.",
            code="sandbox_unavailable",
            headers={"Retry-After": "2"},
        ) from error


async def _kernel_of(request: ExecuteRequest, contexts: ContextClient, scope: str) -> str:
    """Raises InvalidRequest where the request names another language than its context has."""
    if request.context_id is None:
        return request.kernel_or_default
    info = await contexts.info(scope=scope, context_id=request.context_id)
    if request.kernel not in (None, info.kernel):
        language = COMPILERS[KERNELS[info.kernel].compiler].language
        text = f"This context is a {language} one; leave the language out, or open a new context."
        raise InvalidRequest(f"language: {text}", errors=[FieldError("language", text)])
    return info.kernel


async def _open(kernel: str, plan: Plan, contexts: ContextClient, scope: str) -> ContextInfo:
    return await contexts.open(
        scope=scope,
        kernel=kernel,
        limits=limits_for(plan),
        idle_seconds=plan.context_idle_seconds,
        most=plan.live_contexts,
    )


def _interrupted(kernel: str, started_at: datetime) -> RunUsage:
    return RunUsage(
        compiler=KERNELS[kernel].compiler,
        outcome="stopped",
        started_at=started_at,
        wall_seconds=(datetime.now(UTC) - started_at).total_seconds(),
        cpu_seconds=0.0,
        memory_bytes=0,
    )
