"""A batch whose client waits: its tests as they end, and then how it ended."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async

from accounts.caller import Caller
from billing.subscriptions import plan_for
from config.errors import Unavailable
from execution.batch_requests import BatchRequest
from execution.batches import rows
from execution.batches.carrying import Carrying
from execution.batches.cases import Ending
from execution.batches.judging import Judged
from execution.batches.worker import process_name
from execution.capacity import admit_batch
from execution.models import Batch

Event = tuple[Batch, dict[str, str]] | Judged | Ending

_background: set["asyncio.Task[None]"] = set()


async def events(
    caller: Caller, data: dict[str, Any], request: BatchRequest, *, uuid: UUID
) -> AsyncGenerator[Event, None]:
    """First the batch's row with the headers of its answer, then each test as it ends, in the end the Ending.

    Closing it before the end kills the programs: the client went away. Raises LimitExceeded and Unavailable, before the
    first event or, when not a single run came about, in place of the Ending; nothing is counted then.
    """
    plan = await plan_for(caller.organisation_id)
    async with admit_batch(caller, plan, batch_id=uuid, runs=request.runs) as headers:
        batch = await database_sync_to_async(rows.begin)(caller, data, request, uuid=uuid, worker=process_name())
        judged: asyncio.Queue[Judged | None] = asyncio.Queue()
        carrying = Carrying(batch, request, caller=caller, on_case=judged.put_nowait)
        running = asyncio.create_task(carrying.run())
        running.add_done_callback(lambda _: judged.put_nowait(None))
        try:
            yield batch, headers
            while (one := await judged.get()) is not None:
                yield one
            ending = await running or Ending()
        except (asyncio.CancelledError, GeneratorExit):
            running.cancel()
            await asyncio.wait([running])
            _record_cancelled(carrying)
            raise
        except rows.NotMine:
            # This process stood still for so long that others took it for dead.
            raise Unavailable("The batch was lost; send it again.", code="sandbox_unavailable") from None
    if ending.error is not None and not ending.counted:
        await batch.adelete()
        raise ending.error
    yield ending


def _record_cancelled(carrying: Carrying) -> None:
    """Goes on when the request has ended."""

    async def record() -> None:
        with suppress(rows.NotMine):
            await carrying.cancelled()

    task = asyncio.create_task(record())
    _background.add(task)
    task.add_done_callback(_background.discard)
