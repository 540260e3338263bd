"""What can be bought: the plans, as data. An organisation without a subscription is on FREE.

Clients rely on the numbers of FREE (they are the limits that the API has always had); larger plans only raise them.
The sandbox itself is the same on every plan so far, which is why none sets `limits`.
"""

from dataclasses import dataclass, field

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` on average, `burst` at once."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class ExecutionLimits:
    """The limits of one run, plain numbers: seconds of wall clock, bytes, cores. A request may lower them.

    `output_bytes` is what is kept of each of stdout and stderr, `compile_seconds` is not part of `wall_seconds`.
    """

    wall_seconds: float = 30.0
    compile_seconds: float = 30.0
    memory_bytes: int = 512 * MIB
    cpu_cores: float = 2.0
    processes: int = 64
    output_bytes: int = 1 * MIB
    work_bytes: int = 128 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One plan. Runs are counted per organisation, `sync_concurrency` and `rate` per key.

    `rate` only keeps a runaway client from occupying the service: a client that stays within `sync_concurrency`
    never meets it. `connection_rate` is that of executions over one WebSocket connection.
    """

    id: str
    name: str
    price_cents_month: int
    runs_per_month: int
    sync_concurrency: int
    concurrent_connections: int
    rate: Rate
    connection_rate: Rate = Rate(per_second=1, burst=1)
    history_days: int
    context_idle_seconds: int
    live_contexts: int
    limits: ExecutionLimits = field(default_factory=ExecutionLimits)


FREE = Plan(
    id="free",
    name="Free",
    price_cents_month=0,
    runs_per_month=5_000,
    sync_concurrency=4,
    concurrent_connections=10,
    rate=Rate(per_second=50, burst=500),
    history_days=7,
    context_idle_seconds=10 * 60,
    live_contexts=4,
)

STARTER = Plan(
    id="starter",
    name="Starter",
    price_cents_month=1_500,
    runs_per_month=50_000,
    sync_concurrency=8,
    concurrent_connections=50,
    rate=Rate(per_second=100, burst=1_000),
    history_days=30,
    context_idle_seconds=30 * 60,
    live_contexts=16,
)

PRO = Plan(
    id="pro",
    name="Pro",
    price_cents_month=4_900,
    runs_per_month=500_000,
    sync_concurrency=16,
    concurrent_connections=250,
    rate=Rate(per_second=200, burst=2_000),
    history_days=90,
    context_idle_seconds=60 * 60,
    live_contexts=64,
)

SCALE = Plan(
    id="scale",
    name="Scale",
    price_cents_month=19_900,
    runs_per_month=5_000_000,
    sync_concurrency=64,
    concurrent_connections=1_000,
    rate=Rate(per_second=1_000, burst=10_000),
    history_days=365,
    context_idle_seconds=4 * 60 * 60,
    live_contexts=256,
)

PLANS: tuple[Plan, ...] = (FREE, STARTER, PRO, SCALE)
"""All plans, the smallest first."""

_BY_ID = {plan.id: plan for plan in PLANS}


def plan_of(plan_id: str) -> Plan:
    """The plan of that id. Raises KeyError."""
    return _BY_ID[plan_id]
