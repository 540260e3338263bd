"""A batch from its row to its end: its cases run, and become rows as they come.

Whoever waits for the answer gets each case from `on_case`; everybody else reads the rows.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Any, Final

import structlog
from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError

from accounts.caller import Caller
from accounts.models import Organisation
from billing.subscriptions import plan_for
from execution.batch_requests import BatchRequest
from execution.batches import rows
from execution.batches.cases import Ending, at_once, run_cases
from execution.batches.judging import Judged
from execution.models import Batch
from execution.waiting import ended

_log = structlog.get_logger("runcode.batches")

RECORD_SECONDS: Final = 0.5
"""How often cases become rows, the lease is prolonged, and somebody looks whether the batch is to be cancelled."""

_RECORD_ATTEMPTS: Final = 20


class Carrying:
    """One carrying out of a batch that this process holds the lease of."""

    def __init__(
        self,
        batch: Batch,
        request: BatchRequest,
        *,
        caller: Caller,
        on_case: Callable[[Judged], None] = lambda _judged: None,
    ) -> None:
        self.batch = batch
        self._request = request
        self._caller = caller
        self._on_case = on_case
        self._unrecorded: list[Judged] = []
        self._keep_sources = self._keep_outputs = True

    async def run(self, *, done: Collection[int] = ()) -> Ending | None:
        """To the end, which is recorded then; None when somebody cancelled the batch. Raises rows.NotMine.

        Cancelling the call kills the programs and records nothing more: call `cancelled` or `give_back` then.
        """
        self._keep_sources, self._keep_outputs = await _database(_kept, self._caller.organisation_id)
        plan = await plan_for(self._caller.organisation_id)
        cases = asyncio.create_task(
            run_cases(
                self._request,
                batch_id=self.batch.uuid,
                caller=self._caller,
                at_once=at_once(plan),
                on_case=self._got,
                done=done,
            )
        )
        try:
            while not cases.done():
                await asyncio.wait([cases], timeout=RECORD_SECONDS)
                if await self._record():
                    cases.cancel()
                    await asyncio.wait([cases])
        finally:
            cases.cancel()
            await asyncio.wait([cases])
        if cases.cancelled():
            await self.cancelled()
            return None
        ending = cases.result()
        await self._conclude(rows.finish, ending, judged=self._request.judged, keep_sources=self._keep_sources)
        return ending

    async def cancelled(self) -> None:
        """Records what had ended by then, and that the batch was cancelled."""
        await self._conclude(rows.cancel, keep_sources=self._keep_sources)

    async def give_back(self) -> None:
        """Records what had ended by then, and leaves the rest to the next worker."""
        await self._conclude(rows.give_back)

    def _got(self, judged: Judged) -> None:
        self._unrecorded.append(judged)
        self._on_case(judged)

    async def _conclude(self, record: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        """Records the last cases and the end; tries again where the database is away for a while."""
        for attempt in range(_RECORD_ATTEMPTS):
            if attempt:
                await asyncio.sleep(RECORD_SECONDS * 2)
            await self._record()
            if self._unrecorded:
                continue
            try:
                await _database(record, self.batch, *args, **kwargs)
            except (DatabaseError, InterfaceError) as error:
                _log.warning("a batch's end is not recorded yet", batch=self.batch.pk, error=type(error).__name__)
            else:
                ended(Batch, self.batch.pk)
                return

    async def _record(self) -> bool:
        """Makes rows of the cases that are none yet; True when the batch is to be cancelled."""
        cases = list(self._unrecorded)
        try:
            cancel: bool = await _database(rows.record, self.batch, cases, keep_outputs=self._keep_outputs)
        except (DatabaseError, InterfaceError) as error:
            _log.warning("cases are not recorded yet", batch=self.batch.pk, error=type(error).__name__)
            return False
        del self._unrecorded[: len(cases)]
        return cancel


def _kept(organisation_id: int) -> tuple[bool, bool]:
    kept = Organisation.objects.filter(pk=organisation_id).values_list("keep_sources", "keep_outputs").first()
    return kept or (False, False)


async def _database(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    # Not on the thread that all requests share: writing some hundred cases would hold them up.
    return await database_sync_to_async(work, thread_sensitive=False)(*args, **kwargs)
