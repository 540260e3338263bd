"""Takes charges from the journal to the ledger, in batches, behind the answers.

For each batch: one transaction (billing.ledger), then the new totals to the limiter, which drops the reservations that
they have in, then the journal lets go of the lines. A crash between any two of these steps leaves the lines in the
journal; whoever replays them finds the charges recorded and goes on from there.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, connections

from accounts.ratelimits import Limiter, LimiterUnavailable
from billing import ledger
from billing.charges import Charge
from billing.journal import Journal, Segment
from billing.journal_lines import HoldLine
from billing.names import run_quota, scope_of
from billing.orphans import Orphan, claim_orphans
from billing.periods import Period

_log = structlog.get_logger("runcode.billing")

T = TypeVar("T")

FLUSH_SECONDS = 0.2
"""How long charges gather before they are written together."""

ORPHANS_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 10.0
BATCH = 500

MOST_WAITING = 100_000
"""With more charges than this waiting for the database, no new run is admitted: they are held in memory."""

Failure = (DatabaseError, InterfaceError, LimiterUnavailable, OSError)


class Flusher:
    """One process's writer behind. `run` is its background task; `flush` and `recover` work without it too."""

    def __init__(self, journal: Journal, limiter: Limiter, journals: Path) -> None:
        self._journal = journal
        self._limiter = limiter
        self._journals = journals
        self._waiting: deque[tuple[Charge, Segment]] = deque()
        self._wake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        # A thread of its own: it keeps one database connection, and waits for no page's query.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="billing")

    @property
    def behind(self) -> bool:
        """Whether too much is waiting for the database to admit more."""
        return len(self._waiting) > MOST_WAITING

    def add(self, charge: Charge, segment: Segment) -> None:
        """Takes over a journalled charge, once its reservation is pinned (or could not be, in an outage)."""
        self._waiting.append((charge, segment))
        self._wake.set()

    async def flush(self) -> None:
        """Records all that is waiting. Raises one of Failure; what could not be recorded then goes on waiting."""
        async with self._one_at_a_time:
            while self._waiting:
                batch = list(islice(self._waiting, BATCH))
                await self._record([charge for charge, _ in batch])
                for _, segment in batch:
                    self._waiting.popleft()
                    self._journal.done(segment)

    async def recover(self) -> None:
        """Records what dead processes left in their journals, and gives back what they held. Raises one of Failure."""
        async with self._one_at_a_time:
            orphans = await self.in_thread(lambda: list(claim_orphans(self._journals)))
            while orphans:
                orphan = orphans.pop()
                try:
                    await self._replay(orphan)
                except BaseException:
                    for each in (orphan, *orphans):
                        each.leave()
                    raise
                orphan.remove()
                _log.info("recovered the journal of a dead process", runs=len(orphan.charges))

    async def load_total(self, organisation_id: int, period: Period) -> None:
        """Tells the limiter an organisation's total that it does not know. Raises one of Failure."""
        # First what is not recorded yet: where the total got lost, the pins did too.
        await self.recover()
        await self.flush()
        total = await self.in_thread(lambda: ledger.total_of(organisation_id, period))
        await self._limiter.publish(scope_of(organisation_id), run_quota(period), total)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Calls `work` in the flusher's thread, with its database connection; drops the connection when that fails."""

        def guarded() -> T:
            try:
                return work()
            except (DatabaseError, InterfaceError):
                # It may be broken. The next call makes a new one.
                connections.close_all()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    async def run(self) -> None:
        """Flushes when there is something and recovers now and then, until cancelled. Outlasts every outage."""
        loop = asyncio.get_running_loop()
        failures = 0
        recover_at = loop.time() + ORPHANS_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(recover_at - loop.time(), 0)):
                    await self._wake.wait()
            await asyncio.sleep(FLUSH_SECONDS)
            self._wake.clear()
            try:
                await self.flush()
                if loop.time() >= recover_at:
                    recover_at = loop.time() + ORPHANS_SECONDS
                    await self.recover()
                failures = 0
            except Exception as error:
                failures += 1
                self._report(error)
                self._wake.set()
                await asyncio.sleep(min(FLUSH_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS))

    async def aclose(self) -> None:
        """Records what is waiting, as far as that is possible now, and ends the thread."""
        try:
            await self.flush()
        except Failure as error:
            # The journal keeps it for the next start.
            self._report(error)
        await self.in_thread(connections.close_all)
        self._thread.shutdown()

    def abandon(self) -> None:
        """Ends the thread without its event loop."""
        self._thread.submit(connections.close_all).result()
        self._thread.shutdown()

    def _report(self, error: Exception) -> None:
        if isinstance(error, Failure):
            _log.warning("runs are not recorded yet", waiting=len(self._waiting), error=type(error).__name__)
        else:
            _log.error("runs are not recorded yet", waiting=len(self._waiting), exc_info=error)

    async def _record(self, charges: Sequence[Charge]) -> None:
        totals = await self.in_thread(lambda: ledger.record(charges))
        drop: dict[ledger.Key, tuple[Period, list[str]]] = {}
        for charge in charges:
            key = (charge.organisation_id, charge.period.start)
            drop.setdefault(key, (charge.period, []))[1].append(charge.run_id.hex)
        for key, (period, members) in drop.items():
            if key in totals:
                await self._limiter.publish(scope_of(key[0]), run_quota(period), totals[key], drop=members)

    async def _replay(self, orphan: Orphan) -> None:
        for start in range(0, len(orphan.charges), BATCH):
            await self._record(orphan.charges[start : start + BATCH])
        if self._limiter.shared:
            for hold in orphan.holds:
                await self._give_back(hold)

    async def _give_back(self, hold: HoldLine) -> None:
        # What was charged is in the published total by now: its reservation is dropped already.
        await self._limiter.finish(hold.scope, hold.held)
