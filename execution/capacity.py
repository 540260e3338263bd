"""Is there room for one more: the plan's run quota, concurrency and rate, decided in one step before anything starts.

async with admit_run(caller, plan, run_id=run_id) as admission:
    result = await sandbox.run(job)
    admission.settle(usage)            # billed; leaving the block without it gives everything back
answer.headers |= admission.headers
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID, uuid4

from channels.db import database_sync_to_async

from accounts.caller import Caller
from accounts.ratelimits import Lease, State, TokenBucket
from accounts.ratelimits.keeper import LEASE_SECONDS
from billing import quotas
from billing.charges import RunUsage
from billing.connections import leave_seat, take_place, take_seat
from billing.ledger import was_billed
from billing.periods import Period
from billing.plans import Plan
from config.errors import LimitExceeded
from execution.limit_headers import Policy, limit_headers, seconds, seconds_left
from execution.sandbox.job import MIB, Limits

__all__ = ["Admission", "RunUsage", "admit_batch", "admit_connection", "admit_run", "admit_to_queue", "limits_for"]

_OVER_CONNECTIONS: Final = "over-connections"


@dataclass(frozen=True, slots=True)
class Admission:
    """A run that may start now. `headers` are RateLimit and RateLimit-Policy, for whatever answer it gets."""

    run_id: UUID
    headers: dict[str, str]
    _reservation: quotas.Reservation

    def settle(self, usage: RunUsage) -> None:
        """Bills the run, for good. Call it once, before the answer leaves.

        Raises Unavailable when the run cannot be recorded: it is not billed then, and must not be answered.
        """
        self._reservation.settle(usage)


@asynccontextmanager
async def admit_run(
    caller: Caller, plan: Plan, *, run_id: UUID, connection: str | None = None, queued: bool = False
) -> AsyncIterator[Admission]:
    """Room for one run: a place of its key and one run of the month, held until the block is left in whatever way.

    With `connection`, the id of a WebSocket connection, that connection's rate counts in place of the key's rate and
    concurrency, because one such key may stand on a page with many readers; all connections of the organisation
    together run at most as many programs at once as the plan has connections. So do the users of a token, over whatever
    surface, who have no rate of their own. With `queued`, only the run of the month:
    the key's rate was counted when the run was queued, and how many of those run at once is up to the workers.

    Raises LimitExceeded with code `run_quota`, `concurrency_limit` or `rate_limit`, and Unavailable when the limits
    cannot be checked.
    """
    policies = () if queued else _policies(caller, plan, run_id.hex, connection)
    try:
        reservation = await quotas.reserve(caller, plan, run_id, beside=[policy.check for policy in policies])
    except quotas.Refused as refused:
        if not (queued and await database_sync_to_async(was_billed)(run_id)):
            raise _refusal(refused, plan, policies) from None
        reservation = await _reserve_again(caller, plan, run_id)
    try:
        headers = limit_headers(reservation.states, plan, reservation.period, policies)
        yield Admission(run_id, headers, reservation)
    finally:
        await reservation.close()


async def admit_to_queue(caller: Caller, plan: Plan, *, waiting: int) -> dict[str, str]:
    """Whether one more run may be queued where the organisation has so many `waiting`: takes the key's rate, and sees
    that the month holds a run for each of them. Returns RateLimit and RateLimit-Policy for the answer.

    Raises LimitExceeded with code `run_quota` or `rate_limit`, and Unavailable when the limits cannot be checked.
    """
    run_id = uuid4()
    policies = (_key_rate(caller, plan),)
    try:
        reservation = await quotas.reserve(caller, plan, run_id, beside=[policy.check for policy in policies])
    except quotas.Refused as refused:
        raise _refusal(refused, plan, policies) from None
    await reservation.close()
    runs, *others = reservation.states
    states = (State(max(runs.remaining - waiting, 0), runs.reset), *others)
    headers = limit_headers(states, plan, reservation.period, policies)
    if waiting > runs.remaining:
        raise _quota_used(plan, reservation.period, headers, waiting=waiting)
    return headers


@asynccontextmanager
async def admit_batch(caller: Caller, plan: Plan, *, batch_id: UUID, runs: int) -> AsyncIterator[dict[str, str]]:
    """Room for a batch whose client waits: one place of its key for all its runs together, held until the block is
    left; the runs themselves are then admitted as queued ones. Gives RateLimit and RateLimit-Policy for the answer.

    Raises LimitExceeded as `admit_run` does, and Unavailable when the limits cannot be checked.
    """
    headers = await admit_to_queue(caller, plan, waiting=runs - 1)
    lease = _key_places(caller, plan, batch_id.hex)
    place = await take_place(caller.organisation_id, lease)
    if place is None:
        raise _no_place(plan, lease, headers)
    try:
        yield headers
    finally:
        await leave_seat(place)


@asynccontextmanager
async def admit_connection(caller: Caller, plan: Plan, *, connection: str) -> AsyncIterator[None]:
    """A seat for the WebSocket connection of that id among its organisation's, held until the block is left.

    Raises LimitExceeded with code `concurrency_limit`, and Unavailable when that cannot be checked.
    """
    seat = await take_seat(caller.organisation_id, plan, connection)
    if seat is None:
        raise LimitExceeded(
            f"All {plan.concurrent_connections:,} WebSocket connections of the {plan.name} plan are open. "
            "Close one, or choose a larger plan.",
            code="concurrency_limit",
            headers={"Retry-After": "1"},
        )
    try:
        yield
    finally:
        await leave_seat(seat)


def limits_for(plan: Plan, *, time_limit: float | None = None, memory_limit: int | None = None) -> Limits:
    """The plan's limits, lowered by what the request asks for: seconds of the run stage, and MB (of 1024 KB)."""
    most = plan.limits
    return Limits(
        wall_seconds=most.wall_seconds if time_limit is None else min(most.wall_seconds, time_limit),
        compile_seconds=most.compile_seconds,
        memory_bytes=most.memory_bytes if memory_limit is None else min(most.memory_bytes, memory_limit * MIB),
        cpu_cores=most.cpu_cores,
        processes=most.processes,
        output_bytes=most.output_bytes,
        work_bytes=most.work_bytes,
    )


async def _reserve_again(caller: Caller, plan: Plan, run_id: UUID) -> quotas.Reservation:
    """For a run that was billed when its worker died, and is carried out again: the total that refuses it has it in."""
    with_itself = replace(plan, runs_per_month=plan.runs_per_month + 1)
    try:
        return await quotas.reserve(caller, with_itself, run_id)
    except quotas.Refused as refused:
        raise _refusal(refused, plan, ()) from None


def _policies(caller: Caller, plan: Plan, member: str, connection: str | None) -> tuple[Policy, ...]:
    # A connection is opened in no time, so its rate alone would bound nothing.
    over_connections = Policy.concurrency(Lease(_OVER_CONNECTIONS, plan.concurrent_connections, member, LEASE_SECONDS))
    if caller.kind == "token":
        # One account's many users, who type lines into a console: no rate of their own.
        return (over_connections, _key_rate(caller, plan))
    if connection is not None:
        rate = plan.connection_rate
        return (
            over_connections,
            Policy.rate(TokenBucket.per_second(f"connection:{connection}", rate.per_second, rate.burst)),
        )
    return (Policy.concurrency(_key_places(caller, plan, member)), _key_rate(caller, plan))


def _key_places(caller: Caller, plan: Plan, member: str) -> Lease:
    return Lease(f"{caller.kind}:{caller.key_id}", plan.sync_concurrency, member, LEASE_SECONDS)


def _key_rate(caller: Caller, plan: Plan) -> Policy:
    return Policy.rate(TokenBucket.per_second(f"{caller.kind}:{caller.key_id}", plan.rate.per_second, plan.rate.burst))


def _refusal(refused: quotas.Refused, plan: Plan, policies: Sequence[Policy]) -> LimitExceeded:
    headers = limit_headers(refused.states, plan, refused.period, policies, refusing=refused.place)
    if refused.place == 0:
        return _quota_used(plan, refused.period, headers)
    if isinstance(lease := policies[refused.place - 1].check, Lease):
        return _no_place(plan, lease, headers)
    wait = max(seconds(refused.retry_after), 1)
    message = f"Too many runs in too short a time. Wait {wait} s, then send this again."
    return LimitExceeded(message, code="rate_limit", headers={**headers, "Retry-After": str(wait)})


def _no_place(plan: Plan, lease: Lease, headers: dict[str, str]) -> LimitExceeded:
    who = "Your connections together run" if lease.name == _OVER_CONNECTIONS else "This key runs"
    message = (
        f"{who} {lease.limit} programs already, the most at once on the {plan.name} plan. "
        "Wait for one to end, then send this again."
    )
    # A place comes free when the caller's own programs end, long before a lease lapses.
    return LimitExceeded(message, code="concurrency_limit", headers={**headers, "Retry-After": "1"})


def _quota_used(plan: Plan, period: Period, headers: dict[str, str], *, waiting: int = 0) -> LimitExceeded:
    day = period.ends_at
    used = f"are used or taken by the {waiting:,} that wait" if waiting else "are used"
    message = (
        f"All {plan.runs_per_month:,} runs of the {plan.name} plan {used}. The count starts anew on "
        f"{day.day} {day:%B %Y} (UTC); a larger plan holds more runs."
    )
    wait = max(seconds_left(period), 1)
    return LimitExceeded(message, code="run_quota", headers={**headers, "Retry-After": str(wait)})
