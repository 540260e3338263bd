"""What Celery's workers do when they are told that something waits. A task that finds nothing is done at once."""

import time
from functools import partial
from typing import Final

from celery import shared_task

from execution.tasks_host import host
from execution.tickets import CARRY_OUT_NEXT, DELIVER_DUE, DELIVERIES_AT_ONCE

KEEP_ON_SECONDS: Final = 10.0
"""For so long a task goes on with the next run: where messages got lost, those that came serve for them."""


@shared_task(name=CARRY_OUT_NEXT)  # type: ignore[untyped-decorator]
def carry_out_next() -> None:
    """Carries out waiting runs, one after the other, of whichever organisation's turn it is."""
    until = time.monotonic() + KEEP_ON_SECONDS
    while (running := host()) and running.run(running.worker.work_once) and time.monotonic() < until:
        pass


@shared_task(name=DELIVER_DUE)  # type: ignore[untyped-decorator]
def deliver_due() -> None:
    """Sends results that are due."""
    if running := host():
        running.run(partial(running.courier.work_once, DELIVERIES_AT_ONCE))
