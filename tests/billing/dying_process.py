"""A process that meters runs and kills itself, with the signal that nobody can catch, at a step that it is told.

    python -m tests.billing.dying_process ORGANISATION RUNS STEP     RUNS whole runs, then one that dies at STEP
    python -m tests.billing.dying_process ORGANISATION QUOTA forever  runs until the quota refuses, or it is killed

Prints the id of a run once it is answered, as a client would see it.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import django

django.setup()

from accounts.ratelimits import LeaseKeeper  # noqa: E402
from billing import ledger  # noqa: E402
from billing.flusher import Flusher  # noqa: E402
from billing.journal import Journal, Segment  # noqa: E402
from billing.metering import Metering, metering_service  # noqa: E402
from billing.models import RunCharge, UsagePeriod  # noqa: E402
from billing.quotas import Refused, Reservation, reserve  # noqa: E402
from tests.billing.runs import USAGE, caller_of, plan_of_runs, run  # noqa: E402


def answer(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str) -> None:
    def trap(*arguments: Any, **options: Any) -> None:
        die()

    setattr(owner, name, trap)


def after(owner: Any, name: str) -> None:
    work = getattr(owner, name)

    def trap(*arguments: Any, **options: Any) -> None:
        work(*arguments, **options)
        die()

    async def async_trap(*arguments: Any, **options: Any) -> None:
        await work(*arguments, **options)
        die()

    setattr(owner, name, async_trap if asyncio.iscoroutinefunction(work) else trap)


def halfway_through_a_line() -> None:
    def append(self: Segment, content: bytes) -> None:
        os.write(self.descriptor, content[: len(content) // 2])
        die()

    Segment.append = append  # type: ignore[method-assign]


# In the order in which they come. Billed are the runs whose line was whole.
STEPS: dict[str, tuple[bool, Callable[[Metering], None]]] = {
    "reserved": (False, lambda _: before(Reservation, "settle")),
    "halfway through the journal line": (False, lambda _: halfway_through_a_line()),
    "journalled": (True, lambda _: after(Journal, "append")),
    "closing": (True, lambda _: before(LeaseKeeper, "finish")),
    "closed": (True, lambda running: after(running.limiter, "finish")),
    "handed to the flusher": (True, lambda _: after(Flusher, "add")),
    "before the transaction": (True, lambda _: before(ledger, "record")),
    "in the transaction, charges written": (True, lambda _: after(RunCharge.objects, "bulk_create")),
    "in the transaction, count written": (True, lambda _: after(UsagePeriod, "save")),
    "committed": (True, lambda _: after(ledger, "record")),
    "published": (True, lambda running: after(running.limiter, "publish")),
    "journal emptied": (True, lambda _: after(Segment, "empty")),
}


async def one_more(organisation_id: int, runs: int, step: str) -> None:
    caller, plan = caller_of(organisation_id), plan_of_runs(runs + 5)
    async with metering_service() as running:
        for _ in range(runs):
            answer(await run(caller, plan))
        await running.flusher.flush()
        reservation = await reserve(caller, plan, uuid4())
        STEPS[step][1](running)
        reservation.settle(USAGE)
        await reservation.close()
        await running.flusher.flush()


async def forever(organisation_id: int, quota: int) -> None:
    caller, plan = caller_of(organisation_id), plan_of_runs(quota)

    async def client() -> None:
        while True:
            try:
                answer(await run(caller, plan))
            except Refused:
                return
            await asyncio.sleep(0.001)

    async with metering_service():
        await asyncio.gather(*(client() for _ in range(8)))
        # Drained by nobody: it waits to be killed.
        answer("refused")
        await asyncio.sleep(3600)


if __name__ == "__main__":
    organisation, number, what = sys.argv[1:]
    asyncio.run(
        forever(int(organisation), int(number)) if what == "forever" else one_more(int(organisation), int(number), what)
    )
