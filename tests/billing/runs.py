"""Runs as the billing sees them: callers, usages and charges with nothing but the numbers that a test is about."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from accounts.caller import Caller
from billing.charges import Charge, RunUsage
from billing.metering import metering
from billing.periods import Period, current_month
from billing.plans import FREE, Plan
from billing.quotas import Refused, reserve

USAGE = RunUsage(
    compiler="python-3.14",
    outcome="success",
    started_at=datetime(2026, 7, 1, 12, 30, 0, 250_000, tzinfo=UTC),
    wall_seconds=0.025,
    cpu_seconds=0.02,
    memory_bytes=8_388_608,
)


def plan_of_runs(runs: int) -> Plan:
    return replace(FREE, runs_per_month=runs)


def caller_of(organisation_id: int, key_id: int = 7) -> Caller:
    return Caller(organisation_id=organisation_id, key_id=key_id, kind="api")


def charge_of(organisation_id: int, *, run_id: UUID | None = None, period: Period | None = None) -> Charge:
    return Charge(
        run_id=run_id or uuid4(),
        organisation_id=organisation_id,
        period=period or current_month(),
        key_id=7,
        key_kind="api",
        usage=USAGE,
    )


async def run(caller: Caller, plan: Plan, *, settled: bool = True) -> UUID:
    """One whole run without a program. Raises Refused."""
    run_id = uuid4()
    reservation = await reserve(caller, plan, run_id)
    if settled:
        reservation.settle(USAGE)
    await reservation.close()
    return run_id


async def runs_until_refused(caller: Caller, plan: Plan) -> int:
    number = 0
    while True:
        try:
            await run(caller, plan)
        except Refused:
            return number
        number += 1


async def flush() -> None:
    await (await metering()).flusher.flush()
