"""All cases of a batch: the first alone, which compiles the program, then several at once."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from accounts.caller import Caller
from billing.plans import Plan
from config.errors import ApiError
from execution.batch_requests import BatchRequest
from execution.batches.judging import CheckerFailed, Judged, judge
from execution.verdicts import Verdict

MOST_AT_ONCE: Final = 8
"""Cases of one batch that run at once, whatever the plan allows: others want the host, too."""


@dataclass(slots=True)
class Ending:
    """Why a batch ended before its last case, if it did. `error` is what a single run would have been refused with, or
    says what became of the checker; `counted`: a run was counted, whether or not a case came to its end."""

    error: ApiError | None = None
    checker_error: bytes | None = None
    stopped: bool = False
    counted: bool = False


def at_once(plan: Plan) -> int:
    return min(plan.sync_concurrency, MOST_AT_ONCE)


async def run_cases(
    batch: BatchRequest,
    *,
    batch_id: UUID,
    caller: Caller,
    at_once: int,
    on_case: Callable[[Judged], None],
    done: Collection[int] = (),
) -> Ending:
    """Runs the cases that are not `done`, and hands each over as it ends. Cancelling it kills the programs."""
    ending = Ending()
    positions = (position for position in range(len(batch.cases)) if position not in done)

    async def step(position: int) -> None:
        try:
            judged = await judge(batch, position, caller=caller, batch_id=batch_id)
        except CheckerFailed as failure:
            ending.error, ending.checker_error, ending.counted = failure.error, failure.messages, True
            return
        except ApiError as error:
            ending.error = ending.error or error
            return
        # A program that does not compile for one input compiles for none.
        if judged.verdict is Verdict.COMPILE_ERROR or (batch.stop_on_failure and judged.failed):
            ending.stopped = True
        ending.counted = True
        on_case(judged)

    async def work() -> None:
        while not (ending.stopped or ending.error) and (position := next(positions, None)) is not None:
            await step(position)

    if (first := next(positions, None)) is not None:
        await step(first)
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    return ending
