"""Keeps what this process holds from lapsing while it is in use.

A lease lapses LEASE_SECONDS after its last renewal, so that places come back by themselves when a process or machine
dies. One task per process renews whatever is held for longer than RENEW_SECONDS; a short run never costs a renewal.
"""

import asyncio
import time
from dataclasses import dataclass, field

import structlog

from accounts.ratelimits.checks import Held, Limiter, LimiterUnavailable

_log = structlog.get_logger("runcode.limits")

LEASE_SECONDS = 15
RENEW_SECONDS = 4.0
"""A lease is renewed at an age between this and its double, which leaves about half of its life for a slow Redis."""

_AT_ONCE = 500


@dataclass(slots=True, eq=False)
class Hold:
    """What one run or connection holds: leases and quotas of one scope, acquired together."""

    scope: str
    held: tuple[Held, ...]
    renewed_at: float = field(default_factory=time.monotonic)
    renewing: asyncio.Event | None = None


class LeaseKeeper:
    """Renews holds between `add` and `finish`. `run` is the background task, `finish` works without it too."""

    def __init__(self, limiter: Limiter, renew_seconds: float = RENEW_SECONDS) -> None:
        self._limiter = limiter
        self._renew_seconds = renew_seconds
        self._holds: set[Hold] = set()

    def add(self, hold: Hold) -> None:
        self._holds.add(hold)

    async def finish(self, hold: Hold, *, pin: bool = False) -> None:
        """Gives the hold back (or pins it, see `Limiter.finish`), also when the calling task is cancelled meanwhile.

        Raises LimiterUnavailable; the hold then lapses by itself.
        """
        self._holds.discard(hold)
        if hold.renewing is None:
            await self._limiter.finish(hold.scope, hold.held, pin=pin)
        else:
            await asyncio.shield(asyncio.create_task(self._finish_after_renewal(hold.renewing, hold, pin=pin)))

    async def _finish_after_renewal(self, renewing: asyncio.Event, hold: Hold, *, pin: bool) -> None:
        # A renewal on its way could arrive after the finish and take anew what was just given back.
        await renewing.wait()
        await self._limiter.finish(hold.scope, hold.held, pin=pin)

    async def renew(self) -> None:
        """Renews what is due. Raises LimiterUnavailable."""
        now = time.monotonic()
        due: dict[str, list[Hold]] = {}
        for hold in self._holds:
            if now - hold.renewed_at >= self._renew_seconds:
                due.setdefault(hold.scope, []).append(hold)
        for scope, holds in due.items():
            for start in range(0, len(holds), _AT_ONCE):
                # Some may have been finished since the look above.
                if held := [hold for hold in holds[start : start + _AT_ONCE] if hold in self._holds]:
                    await self._renew(scope, held, now)

    async def _renew(self, scope: str, holds: list[Hold], now: float) -> None:
        renewing = asyncio.Event()
        for hold in holds:
            hold.renewing = renewing
        try:
            await self._limiter.renew(scope, [each for hold in holds for each in hold.held])
            for hold in holds:
                hold.renewed_at = now
        finally:
            for hold in holds:
                hold.renewing = None
            renewing.set()

    async def run(self) -> None:
        """Renews until cancelled. An outage of the limiter is outlasted: what lapsed in it is taken anew."""
        while True:
            await asyncio.sleep(self._renew_seconds)
            try:
                await self.renew()
            except LimiterUnavailable as error:
                _log.warning("leases not renewed", error=str(error), held=len(self._holds))
            except Exception:
                _log.exception("leases not renewed")
