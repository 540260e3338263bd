"""The contexts of an organisation whose plan changes: those that the new one does not hold are closed."""

import asyncio
from typing import Final

import structlog

from accounts import broadcast
from billing.subscriptions import TOPIC, plan_for
from execution.capacity import limits_for
from execution.sandbox.context_client import ContextClient
from execution.sandbox.errors import SandboxError
from execution.sandbox_clients import sandbox_client

_log = structlog.get_logger("runcode.contexts")

# Organisations that may wait; of more at once only the first are fitted.
_MOST_WAITING: Final = 10_000

_changed: set[str] = set()
_watch: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None


async def keep_fitting() -> None:
    """A background task of each web process; runs until cancelled. All of them do it, which is no harm: each brings
    the contexts to the same state."""
    global _watch
    told = asyncio.Event()
    _watch = asyncio.get_running_loop(), told
    try:
        while True:
            await told.wait()
            told.clear()
            while _changed:
                await _fit(int(_changed.pop()))
    finally:
        _watch = None


async def _fit(organisation_id: int) -> None:
    plan = await plan_for(organisation_id)
    try:
        await ContextClient(sandbox_client()).fit(
            scope=str(organisation_id),
            limits=limits_for(plan),
            idle_seconds=plan.context_idle_seconds,
            most=plan.live_contexts,
        )
    except SandboxError as error:
        # Without a supervisor there are no contexts.
        _log.info("contexts were not fitted to a plan", organisation=organisation_id, error=str(error))


def _told(key: str) -> None:
    # Maybe in a page's thread. What was missed (EVERYTHING) is left to the contexts' own expiry.
    if _watch is None or key == broadcast.EVERYTHING or len(_changed) >= _MOST_WAITING:
        return
    loop, told = _watch
    loop.call_soon_threadsafe(_note, key, told)


def _note(key: str, told: asyncio.Event) -> None:
    _changed.add(key)
    told.set()


broadcast.subscribe(TOPIC, _told)
