"""The seats of an organisation's open WebSocket connections, counted over all processes and machines."""

import asyncio

import structlog

from accounts.ratelimits import Held, Hold, Lease, LimiterUnavailable
from accounts.ratelimits.keeper import LEASE_SECONDS
from billing.metering import metering
from billing.names import CONNECTIONS, scope_of
from billing.plans import Plan
from billing.sole_process import AnotherProcess
from config.errors import Unavailable

_log = structlog.get_logger("runcode.billing")


async def take_seat(organisation_id: int, plan: Plan, connection: str) -> Hold | None:
    """A seat for the connection of that id, kept until `leave_seat`; None when all of the plan are taken.

    When a process or machine dies its seats come back within LEASE_SECONDS. Raises Unavailable.
    """
    return await take_place(organisation_id, Lease(CONNECTIONS, plan.concurrent_connections, connection, LEASE_SECONDS))


async def take_place(organisation_id: int, lease: Lease) -> Hold | None:
    """As `take_seat`, for any lease that is held for longer than a run."""
    scope = scope_of(organisation_id)
    try:
        running = await metering()
        decision = await running.limiter.acquire(scope, [lease])
    except (LimiterUnavailable, AnotherProcess) as error:
        _log.warning("connections cannot be counted", error=type(error).__name__)
        raise Unavailable("Open connections cannot be counted right now. Try again in a moment.") from error
    if not decision.granted:
        return None
    hold = Hold(scope, (Held("lease", lease.name, lease.member, lease.seconds),))
    running.keeper.add(hold)
    return hold


async def leave_seat(hold: Hold) -> None:
    """Gives the seat back, also when the calling task is cancelled meanwhile."""
    running = await metering()
    try:
        await asyncio.shield(running.spawn(running.keeper.finish(hold)))
    except LimiterUnavailable as error:
        _log.warning("a seat is not given back and lapses by itself", error=str(error))
