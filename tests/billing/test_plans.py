from itertools import pairwise

import pytest

from billing.plans import FREE, MIB, PLANS, ExecutionLimits, Plan, Rate, plan_of


def test_the_free_plan_keeps_what_clients_rely_on() -> None:
    assert FREE.sync_concurrency == 4
    assert FREE.connection_rate == Rate(per_second=1, burst=1)
    assert FREE.price_cents_month == 0
    assert FREE.limits == ExecutionLimits(
        wall_seconds=30, memory_bytes=512 * MIB, cpu_cores=2, processes=64, output_bytes=1 * MIB
    )


@pytest.mark.parametrize(("smaller", "larger"), list(pairwise(PLANS)), ids=lambda plan: plan.id)
def test_a_dearer_plan_never_holds_less(smaller: Plan, larger: Plan) -> None:
    for name in (
        "price_cents_month",
        "runs_per_month",
        "sync_concurrency",
        "concurrent_connections",
        "history_days",
        "context_idle_seconds",
    ):
        assert getattr(larger, name) >= getattr(smaller, name), name
    assert larger.price_cents_month > smaller.price_cents_month
    assert larger.rate.per_second >= smaller.rate.per_second
    for name in ExecutionLimits.__dataclass_fields__:
        assert getattr(larger.limits, name) >= getattr(smaller.limits, name), name


def test_plans_are_found_by_id() -> None:
    assert [plan_of(plan.id) for plan in PLANS] == list(PLANS)
    with pytest.raises(KeyError):
        plan_of("gold")
