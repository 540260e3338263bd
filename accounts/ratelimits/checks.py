"""What a limiter can be asked, what it answers, and the protocol that both limiters keep.

Everything that is acquired together belongs to one *scope* (an organisation: `o42`). The scope is the hash tag of
the Redis keys, so that all keys of one step live on one node of a cluster. Times are whole microseconds: both
implementations compute with the same integers, so that they agree to the last token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """A rate: `burst` tokens at most, one more every `interval` µs; acquiring takes `cost` of them.

    Kept as the time at which the bucket would be full again (the generic cell rate algorithm, ITU-T I.371), which is
    one integer and needs no background filling.
    """

    name: str
    interval: int
    burst: int
    cost: int = 1

    @classmethod
    def per_second(cls, name: str, rate: float, burst: int, cost: int = 1) -> "TokenBucket":
        return cls(name, round(MICROSECONDS / rate), burst, cost)


@dataclass(frozen=True, slots=True)
class Lease:
    """A place among at most `limit` that are held at once. It lapses by itself `seconds` after the last renewal.

    `member` names the holder: acquiring again what is already held takes no second place.
    """

    name: str
    limit: int
    member: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Quota:
    """One unit out of `limit` for a whole period: a published total, plus what is reserved or pinned beside it.

    A reservation lapses like a lease; pinned (see `Held`), it counts until a published total has it in.
    A limiter that knows no total (it is new, or Redis was emptied) answers `unknown_total`: publish it, ask again.
    """

    name: str
    limit: int
    member: str
    seconds: int


Check = TokenBucket | Lease | Quota


@dataclass(frozen=True, slots=True)
class State:
    """How one check stands after the step. `reset` is the µs until a bucket is full again, 0 for the others."""

    remaining: int
    reset: int


@dataclass(frozen=True, slots=True)
class Decision:
    """`refused` is the place of the first check that refused (then nothing was taken), None when all was granted.

    `retry_after` is the µs after which the refusing check may grant: exact for a bucket; for a lease or quota the
    earliest lapse of what is held, an upper bound, or 0 when nothing there lapses by itself.
    """

    states: tuple[State, ...]
    refused: int | None = None
    retry_after: int = 0
    unknown_total: bool = False

    @property
    def granted(self) -> bool:
        return self.refused is None


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of one Lease or Quota. Finishing gives it back, or pins it: keeps it without an end."""

    kind: Literal["lease", "quota"]
    name: str
    member: str
    seconds: int

    @classmethod
    def of(cls, check: Check) -> "Held | None":
        """What a granted check holds; None for a token bucket, whose tokens are gone."""
        if isinstance(check, TokenBucket):
            return None
        return cls("lease" if isinstance(check, Lease) else "quota", check.name, check.member, check.seconds)


class LimiterUnavailable(Exception):
    """The shared limiter cannot be reached, so nothing may be granted. It recovers by itself."""


class Limiter(Protocol):
    """Decides for one installation. All methods raise LimiterUnavailable; none fails open."""

    shared: ClassVar[bool]
    """Whether what is held outlives this process and is seen by others."""

    async def acquire(self, scope: str, checks: Sequence[Check]) -> Decision:
        """Grants all checks or none. Called before the work; cancelled, it leaves nothing held behind."""

    async def finish(self, scope: str, held: Sequence[Held], *, pin: bool = False) -> None:
        """Gives everything back; with `pin` the quota's reservations stay, for good. Called once, after the work."""

    async def renew(self, scope: str, held: Sequence[Held]) -> None:
        """Prolongs what is held; takes it anew where it has lapsed or was lost. Called by the LeaseKeeper."""

    async def publish(self, scope: str, quota: str, total: int, *, drop: Sequence[str] = ()) -> None:
        """Tells the total of a quota, which only ever grows, and drops the reservations that it has in."""

    def count(self, scope: str, lease: str) -> int:
        """How many hold this lease now. Blocks: for pages and reports."""

    def pinned(self, scope: str, quota: str) -> list[str]:
        """The members pinned and not yet in the published total. Blocks: for pages and reports."""

    async def aclose(self) -> None:
        """Waits for what is under way and closes connections."""
