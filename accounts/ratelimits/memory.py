"""The limiter of an installation without Redis: the same decisions, within one process and its event loop."""

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from accounts.ratelimits.checks import MICROSECONDS, Check, Decision, Held, Lease, Quota, State, TokenBucket

PINNED = 1 << 62
"""A lapse that never comes; µs since any epoch stay far below it."""

SWEEP_SECONDS = 60
FORGET_TOTAL_SECONDS = 40 * 24 * 3600
"""An untouched total is let go after the longest month and some days; the next step asks for it anew."""

_Key = tuple[str, str]


class _Members:
    """Who holds one lease or reservation, until when. Lapsed members are looked for only once one can have lapsed."""

    __slots__ = ("earliest", "until")

    def __init__(self) -> None:
        self.until: dict[str, int] = {}
        self.earliest = PINNED

    def live(self, now: int) -> int:
        if now >= self.earliest:
            self.until = {member: until for member, until in self.until.items() if until > now}
            self.earliest = min(self.until.values(), default=PINNED)
        return len(self.until)

    def hold(self, member: str, until: int) -> None:
        if until > self.until.get(member, 0):
            self.until[member] = until
            self.earliest = min(self.earliest, until)

    def next_lapse(self, now: int) -> int:
        """µs until the first of them lapses, 0 when none will."""
        earliest = min(self.until.values(), default=PINNED)
        return 0 if earliest == PINNED else earliest - now


class _Total:
    """The published total of one quota and its reservations."""

    __slots__ = ("held", "total", "touched")

    def __init__(self) -> None:
        self.total: int | None = None
        self.held = _Members()
        self.touched = 0


class MemoryLimiter:
    """See `Limiter`. No method suspends: a step is atomic because nothing else of the event loop runs in it.

    `clock` gives µs and never goes back.
    """

    shared: ClassVar[bool] = False

    def __init__(self, clock: Callable[[], int] = lambda: time.monotonic_ns() // 1000) -> None:
        self._clock = clock
        self._full_at: dict[_Key, int] = {}
        self._leases: dict[_Key, _Members] = {}
        self._quotas: dict[_Key, _Total] = {}
        self._sweep_at = 0

    async def acquire(self, scope: str, checks: Sequence[Check]) -> Decision:
        now = self._clock()
        if now >= self._sweep_at:
            self._sweep(now)
        states: list[State] = []
        refused: int | None = None
        retry_after = 0
        for place, check in enumerate(checks):
            if isinstance(check, TokenBucket):
                state, wait = self._look_at_bucket(scope, check, now)
            elif isinstance(check, Lease):
                members = self._leases.get((scope, check.name)) or _Members()
                state, wait = _look_at_members(members, check, 0, now)
            else:
                quota = self._quotas.get((scope, check.name))
                if quota is None or quota.total is None:
                    return Decision((), refused=place, unknown_total=True)
                state, wait = _look_at_members(quota.held, check, quota.total, now)
            states.append(state)
            if wait is not None and refused is None:
                refused, retry_after = place, wait
        if refused is not None:
            return Decision(tuple(states), refused=refused, retry_after=retry_after)
        return Decision(
            tuple(self._take(scope, check, now, state) for check, state in zip(checks, states, strict=True))
        )

    async def finish(self, scope: str, held: Sequence[Held], *, pin: bool = False) -> None:
        for each in held:
            if pin and each.kind == "quota":
                self._members(scope, each).hold(each.member, PINNED)
            else:
                self._members(scope, each).until.pop(each.member, None)

    async def renew(self, scope: str, held: Sequence[Held]) -> None:
        now = self._clock()
        for each in held:
            self._members(scope, each).hold(each.member, now + each.seconds * MICROSECONDS)

    async def publish(self, scope: str, quota: str, total: int, *, drop: Sequence[str] = ()) -> None:
        kept = self._quota(scope, quota)
        kept.total = max(total, kept.total or 0)
        for member in drop:
            kept.held.until.pop(member, None)

    def count(self, scope: str, lease: str) -> int:
        now = self._clock()
        members = self._leases.get((scope, lease))
        # `list` copies in one step, so that the event loop may go on changing it meanwhile.
        return sum(until > now for until in list(members.until.values())) if members else 0

    def pinned(self, scope: str, quota: str) -> list[str]:
        kept = self._quotas.get((scope, quota))
        return [member for member, until in list(kept.held.until.items()) if until == PINNED] if kept else []

    async def aclose(self) -> None:
        """There is nothing to close."""

    def _look_at_bucket(self, scope: str, bucket: TokenBucket, now: int) -> tuple[State, int | None]:
        """How the bucket stands, and the µs to wait when it refuses."""
        owed = max(self._full_at.get((scope, bucket.name), 0) - now, 0)
        room = bucket.burst * bucket.interval
        missing = owed + bucket.cost * bucket.interval - room
        return State(max(room - owed, 0) // bucket.interval, owed), missing if missing > 0 else None

    def _take(self, scope: str, check: Check, now: int, state: State) -> State:
        if isinstance(check, TokenBucket):
            owed = state.reset + check.cost * check.interval
            self._full_at[scope, check.name] = now + owed
            return State((check.burst * check.interval - owed) // check.interval, owed)
        if isinstance(check, Lease):
            members = self._leases.setdefault((scope, check.name), _Members())
        else:
            members = self._quota(scope, check.name).held
        new = check.member not in members.until
        members.hold(check.member, now + check.seconds * MICROSECONDS)
        return State(max(state.remaining - new, 0), 0)

    def _members(self, scope: str, held: Held) -> _Members:
        if held.kind == "lease":
            return self._leases.setdefault((scope, held.name), _Members())
        return self._quota(scope, held.name).held

    def _quota(self, scope: str, name: str) -> _Total:
        quota = self._quotas.setdefault((scope, name), _Total())
        quota.touched = self._clock()
        return quota

    def _sweep(self, now: int) -> None:
        """Forgets what says nothing any more: full buckets, leases that nobody holds, totals of periods long past."""
        self._sweep_at = now + SWEEP_SECONDS * MICROSECONDS
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        self._leases = {key: members for key, members in self._leases.items() if members.live(now)}
        oldest = now - FORGET_TOTAL_SECONDS * MICROSECONDS
        self._quotas = {
            key: quota for key, quota in self._quotas.items() if quota.touched > oldest or quota.held.live(now)
        }


def _look_at_members(members: _Members, check: Lease | Quota, total: int, now: int) -> tuple[State, int | None]:
    """How a lease or quota stands, and the µs to wait when it refuses. Who holds it already is never refused."""
    remaining = check.limit - total - members.live(now)
    refuses = remaining < 1 and check.member not in members.until
    return State(max(remaining, 0), 0), members.next_lapse(now) if refuses else None
