"""A run's place in the quota: reserved before it starts, then settled (billed) or released (not billed).

    reservation = await reserve(caller, plan, run_id, beside=[...])     # or Refused
    reservation.settle(usage)                                           # in the journal: it will be billed
    await reservation.close()                                           # always; without settle it releases

At every moment the published total and the reservations together are at least what will be billed, so no number of
processes can overrun a quota, and a crash between any two steps bills neither twice nor never:

    crash after …   in the limiter                     on the next start
    reserve         lapses, or is given back           nothing: the run had no answer
    settle          lapses only after a long while     the journal is replayed: billed
    close           pinned: never lapses               the journal is replayed: billed, pin dropped
    ledger written  pinned                             replayed: known to the ledger, pin dropped
    published       part of the total                  replayed: nothing changes

Only a Redis that loses its data forgets reservations. The total is then loaded from the database, and each process
takes its running reservations anew within some seconds.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from accounts.caller import Caller
from accounts.ratelimits import Check, Decision, Held, Hold, LimiterUnavailable, Quota, State
from billing import flusher as flushing
from billing.charges import Charge, RunUsage
from billing.journal import Segment
from billing.journal_lines import HoldLine
from billing.metering import Metering, metering
from billing.names import run_quota, scope_of
from billing.periods import Period
from billing.plans import Plan
from billing.sole_process import AnotherProcess
from billing.subscriptions import standing_of
from config.errors import Unavailable

_log = structlog.get_logger("runcode.billing")

RESERVATION_SECONDS = 600
"""How long a reservation outlives its process' last renewal. Long, because until the dead process' journal is replayed
it may stand for a run that will be billed; after the replay it is gone at once."""

_LOAD_ATTEMPTS = 3


class Refused(Exception):
    """Nothing was taken. `place` is that of the refusing check: 0 the run quota, then those `beside` it.

    `states` are those of all checks, `retry_after` is in µs as in accounts.ratelimits.Decision.
    """

    def __init__(self, decision: Decision, period: Period) -> None:
        super().__init__(f"refused by check {decision.refused}")
        self.place = decision.refused or 0
        self.states = decision.states
        self.retry_after = decision.retry_after
        self.period = period


@dataclass(slots=True, eq=False)
class Reservation:
    """One run's place. `states` tells how the quota and the checks beside it stand now."""

    caller: Caller
    run_id: UUID
    period: Period
    states: tuple[State, ...]
    _metering: Metering
    _hold: Hold
    _hold_segment: Segment | None = None
    _charged: tuple[Charge, Segment] | None = None

    def settle(self, usage: RunUsage) -> None:
        """Bills the run: it is in the journal when this returns. Raises Unavailable, then the run is not billed."""
        if self._charged:
            raise RuntimeError("This run is settled already.")
        charge = Charge(
            run_id=self.run_id,
            organisation_id=self.caller.organisation_id,
            period=self.period,
            key_id=self.caller.key_id,
            key_kind=self.caller.kind,
            usage=usage,
        )
        try:
            self._charged = charge, self._metering.journal.append(charge)
        except OSError as error:
            _log.error("a run could not be journalled", error=str(error))
            raise _unrecorded() from error

    async def close(self) -> None:
        """Gives back what is held; of a settled run the place in the quota stays. Sees it through when cancelled."""
        if self._metering.limiter.shared:
            await asyncio.shield(self._metering.spawn(self._close()))
        else:
            # Nothing in it suspends, so nothing can interrupt it, and a task for it would cost more than it does.
            await self._close()

    async def _close(self) -> None:
        try:
            await self._metering.keeper.finish(self._hold, pin=self._charged is not None)
        except LimiterUnavailable as error:
            # The answer is good all the same. Leases lapse; what is billed is published once Redis is back.
            _log.warning("a run's leases are not given back", error=str(error))
        finally:
            # Only now: the flusher drops the reservation, and a pin that came after that would stay for ever.
            if self._charged:
                self._metering.flusher.add(*self._charged)
            if self._hold_segment:
                self._metering.journal.done(self._hold_segment)


async def reserve(caller: Caller, plan: Plan, run_id: UUID, *, beside: Sequence[Check] = ()) -> Reservation:
    """Takes one run of the month and all checks `beside` it, or nothing. Close what it returns.

    Raises Refused, or Unavailable when it cannot be decided now: limits are never passed over.
    """
    try:
        running = await metering()
    except AnotherProcess as error:
        raise Unavailable(str(error)) from error
    if running.flusher.behind:
        raise _unrecorded()
    organisation_id = caller.organisation_id
    period = (await standing_of(organisation_id)).period
    quota = Quota(run_quota(period), plan.runs_per_month, run_id.hex, RESERVATION_SECONDS)
    checks = (quota, *beside)
    hold = Hold(scope_of(organisation_id), tuple(held for check in checks if (held := Held.of(check))))
    # Before the step, not after it: a process that dies over the step's answer holds what it never heard of.
    segment = _journal_hold(running, hold) if running.limiter.shared else None
    try:
        states = await _acquire(running, organisation_id, period, checks)
    except BaseException:
        if segment is not None:
            running.journal.done(segment)
        raise
    running.keeper.add(hold)
    return Reservation(caller, run_id, period, states, running, hold, segment)


async def _acquire(
    running: Metering, organisation_id: int, period: Period, checks: Sequence[Check]
) -> tuple[State, ...]:
    """Takes all checks, the run quota first. Raises Refused or Unavailable."""
    scope = scope_of(organisation_id)
    try:
        decision = await running.limiter.acquire(scope, checks)
        for _ in range(_LOAD_ATTEMPTS):
            if not decision.unknown_total:
                break
            await running.load_total(organisation_id, period)
            decision = await running.limiter.acquire(scope, checks)
    except flushing.Failure as error:
        _log.warning("limits cannot be checked", error=type(error).__name__)
        raise _undecided() from error
    if decision.unknown_total:
        raise _undecided()
    if not decision.granted:
        raise Refused(decision, period)
    return decision.states


def _journal_hold(running: Metering, hold: Hold) -> Segment:
    """Notes what will outlive this process, so that it is given back as soon as somebody finds the process dead."""
    try:
        return running.journal.append(HoldLine(hold.scope, hold.held))
    except OSError as error:
        _log.error("a run could not be journalled", error=str(error))
        raise _unrecorded() from error


def _undecided() -> Unavailable:
    return Unavailable(
        "Whether this run is within the limits cannot be checked right now, so it was not started and is not "
        "counted. Try again in a moment.",
        headers=_SOON,
    )


def _unrecorded() -> Unavailable:
    return Unavailable(
        "The use of the service cannot be recorded right now, so this run is not counted and has no result. "
        "Try again in a moment.",
        headers=_SOON,
    )


_SOON = {"Retry-After": "2"}
