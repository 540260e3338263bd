"""The headers that tell a client its limits: RateLimit-Policy, RateLimit and Retry-After.

The first two are structured fields (RFC 9651) as in draft-ietf-httpapi-ratelimit-headers-10: `q` is the limit, `w` its
window in seconds, `r` what is left, `t` the seconds until it is full again.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from accounts.ratelimits import Lease, State, TokenBucket
from accounts.ratelimits.checks import MICROSECONDS
from billing.periods import Period
from billing.plans import Plan


@dataclass(frozen=True, slots=True)
class Policy:
    """A limit beside the run quota: its name, what is checked, and its parameters in RateLimit-Policy."""

    name: str
    check: Lease | TokenBucket
    parameters: str

    @classmethod
    def concurrency(cls, check: Lease) -> "Policy":
        return cls("concurrency", check, f'q={check.limit};qu="concurrent-requests"')

    @classmethod
    def rate(cls, check: TokenBucket) -> "Policy":
        return cls("requests", check, f"q={check.burst};w={seconds(check.burst * check.interval)}")


def limit_headers(
    states: Sequence[State], plan: Plan, period: Period, policies: Sequence[Policy], *, refusing: int | None = None
) -> dict[str, str]:
    """Both headers, from the states of the quota and then of `policies`; `refusing` is the place of what refused.

    How many run at once now says nothing of the next call, so `concurrency` is in RateLimit only when it refuses.
    """
    limits = [f'"runs";q={plan.runs_per_month};w={period.end - period.start}']
    left = [f'"runs";r={states[0].remaining};t={seconds_left(period)}']
    for place, (policy, state) in enumerate(zip(policies, states[1:], strict=True), start=1):
        limits.append(f'"{policy.name}";{policy.parameters}')
        if isinstance(policy.check, TokenBucket):
            left.append(f'"{policy.name}";r={state.remaining};t={seconds(state.reset)}')
        elif place == refusing:
            left.append(f'"{policy.name}";r=0')
    return {"RateLimit-Policy": ", ".join(limits), "RateLimit": ", ".join(left)}


def seconds(microseconds: int) -> int:
    """Whole seconds, rounded up: who waits that long does not come too early."""
    return -(-microseconds // MICROSECONDS)


def seconds_left(period: Period) -> int:
    return max(math.ceil(period.end - time.time()), 0)
