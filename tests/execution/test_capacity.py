"""Admission of runs and connections: what is refused, in which words, with which headers."""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.caller import Caller
from billing.metering import Metering
from billing.models import RunCharge
from billing.periods import current_month
from billing.plans import FREE, PRO, ExecutionLimits, Plan, Rate
from billing.usage import ausage_of
from config.errors import LimitExceeded
from execution.capacity import admit_connection, admit_run, admit_to_queue, limits_for
from execution.limit_headers import seconds
from execution.sandbox.job import MIB, Limits
from tests.billing.runs import USAGE, caller_of, flush
from tests.cast import Cast


async def admitted(
    caller: Caller, plan: Plan, *, connection: str | None = None, settled: bool = True
) -> dict[str, str]:
    """One whole run; its headers. Raises LimitExceeded."""
    async with admit_run(caller, plan, run_id=uuid4(), connection=connection) as admission:
        if settled:
            admission.settle(USAGE)
    return admission.headers


async def refusal(caller: Caller, plan: Plan, *, connection: str | None = None) -> LimitExceeded:
    with pytest.raises(LimitExceeded) as refused:
        await admitted(caller, plan, connection=connection)
    return refused.value


class TestConcurrency:
    async def test_four_of_a_key_run_and_the_fifth_is_refused_at_once(self, cast: Cast, running: Metering) -> None:
        caller = caller_of(cast.alice.organisation.pk)
        async with AsyncExitStack() as stack:
            for _ in range(4):
                await stack.enter_async_context(admit_run(caller, FREE, run_id=uuid4()))
            refused = await refusal(caller, FREE)
        assert (refused.status, refused.code) == (429, "concurrency_limit")
        assert refused.message == (
            "This key runs 4 programs already, the most at once on the Free plan. "
            "Wait for one to end, then send this again."
        )
        assert refused.headers["Retry-After"] == "1"
        assert '"concurrency";r=0' in refused.headers["RateLimit"]
        assert '"concurrency";q=4;qu="concurrent-requests"' in refused.headers["RateLimit-Policy"]

    async def test_a_place_is_free_again_as_soon_as_a_run_ends(self, cast: Cast, running: Metering) -> None:
        caller = caller_of(cast.alice.organisation.pk)
        async with AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(admit_run(caller, FREE, run_id=uuid4()))
            for _ in range(10):
                await admitted(caller, FREE)

    async def test_each_key_has_places_of_its_own(self, cast: Cast, running: Metering) -> None:
        organisation_id = cast.alice.organisation.pk
        keys = [
            caller_of(organisation_id, key_id=7),
            caller_of(organisation_id, key_id=8),
            Caller(organisation_id, 7, "websocket"),
            caller_of(cast.charlie.organisation.pk, key_id=7),
        ]
        async with AsyncExitStack() as stack:
            for caller in keys:
                for _ in range(4):
                    await stack.enter_async_context(admit_run(caller, FREE, run_id=uuid4()))

    @pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
    async def test_a_run_that_breaks_off_gives_its_place_back(
        self, cast: Cast, running: Metering, error: type[BaseException]
    ) -> None:
        caller = caller_of(cast.alice.organisation.pk)
        for _ in range(10):
            with pytest.raises(error):
                async with admit_run(caller, FREE, run_id=uuid4()):
                    raise error
        await flush()
        assert await RunCharge.objects.acount() == 0
        assert (await admitted(caller, replace(FREE, runs_per_month=1)))["RateLimit"].startswith('"runs";r=0;')

    async def test_a_run_that_breaks_off_after_its_settlement_is_billed(self, cast: Cast, running: Metering) -> None:
        caller = caller_of(cast.alice.organisation.pk)
        run_id = uuid4()

        async def rendered_badly() -> None:
            async with admit_run(caller, FREE, run_id=run_id) as admission:
                admission.settle(USAGE)
                raise ValueError("rendering")

        with pytest.raises(ValueError, match="rendering"):
            await rendered_badly()
        await flush()
        assert (await RunCharge.objects.aget()).pk == run_id


class TestQuota:
    async def test_the_run_after_the_last_is_refused_until_the_period_ends(self, cast: Cast, running: Metering) -> None:
        caller = caller_of(cast.alice.organisation.pk)
        plan = replace(FREE, runs_per_month=1)
        await admitted(caller, plan)
        refused = await refusal(caller, plan)

        end = current_month().ends_at
        assert refused.code == "run_quota"
        assert refused.message == (
            "All 1 runs of the Free plan are used. The count starts anew on "
            f"{end.day} {end:%B %Y} (UTC); a larger plan holds more runs."
        )
        left = int(refused.headers["Retry-After"])
        assert 0 < left <= 31 * 86_400
        assert re.match(rf'"runs";r=0;t={left}, "requests";r=\d+;t=\d+$', refused.headers["RateLimit"])

    async def test_a_used_up_quota_is_told_before_anything_else(self, cast: Cast, running: Metering) -> None:
        caller = caller_of(cast.alice.organisation.pk)
        plan = replace(FREE, runs_per_month=1, sync_concurrency=1, rate=Rate(0.001, 1))
        async with admit_run(caller, plan, run_id=uuid4()):
            assert (await refusal(caller, plan)).code == "run_quota"


class TestRate:
    plan = replace(FREE, rate=Rate(per_second=0.5, burst=2))

    async def test_it_refuses_past_the_burst_and_tells_when_to_come_back(self, cast: Cast, running: Metering) -> None:
        caller = caller_of(cast.alice.organisation.pk)
        for _ in range(2):
            await admitted(caller, self.plan)
        refused = await refusal(caller, self.plan)
        assert refused.code == "rate_limit"
        wait = int(refused.headers["Retry-After"])
        assert 1 <= wait <= 2
        assert refused.message == f"Too many runs in too short a time. Wait {wait} s, then send this again."
        assert re.search(r'"requests";r=0;t=[34]$', refused.headers["RateLimit"])

    async def test_each_key_has_a_rate_of_its_own(self, cast: Cast, running: Metering) -> None:
        for key_id in range(5):
            for _ in range(2):
                await admitted(caller_of(cast.alice.organisation.pk, key_id), self.plan)

    async def test_a_refused_run_takes_nothing_of_the_month(self, cast: Cast, running: Metering) -> None:
        caller = caller_of(cast.alice.organisation.pk)
        for _ in range(2):
            await admitted(caller, self.plan)
        for _ in range(5):
            await refusal(caller, self.plan)
        assert (await ausage_of(caller.organisation_id)).runs_used == 2


class TestConnections:
    async def test_a_connection_runs_one_program_a_second(self, cast: Cast, running: Metering) -> None:
        caller = Caller(cast.alice.organisation.pk, 7, "websocket")
        await admitted(caller, FREE, connection="a")
        assert (await refusal(caller, FREE, connection="a")).code == "rate_limit"
        headers = await admitted(caller, FREE, connection="b")
        assert headers["RateLimit-Policy"].endswith(', "requests";q=1;w=1')

    async def test_the_readers_of_a_page_do_not_share_a_keys_places(self, cast: Cast, running: Metering) -> None:
        caller = Caller(cast.alice.organisation.pk, 7, "websocket")
        async with AsyncExitStack() as stack:
            for number in range(FREE.concurrent_connections):
                run = admit_run(caller, FREE, run_id=uuid4(), connection=f"c{number}")
                await stack.enter_async_context(run)
            # Who opens a connection for each program, or runs several on one, has no more than all readers together.
            refused = await refusal(caller, FREE, connection="one more")
            assert refused.code == "concurrency_limit"
            assert refused.message.startswith("Your connections together run 10 programs already")
        await admitted(caller, FREE, connection="one more")

    async def test_all_seats_taken_is_told_in_words(self, cast: Cast, running: Metering) -> None:
        caller = Caller(cast.alice.organisation.pk, 7, "websocket")
        plan = replace(FREE, concurrent_connections=2)
        async with admit_connection(caller, plan, connection="a"):
            async with admit_connection(caller, plan, connection="b"):
                assert (await ausage_of(caller.organisation_id)).connections == 2
                with pytest.raises(LimitExceeded) as refused:
                    await admit_connection(caller, plan, connection="c").__aenter__()
            async with admit_connection(caller, plan, connection="c"):
                pass
        assert refused.value.code == "concurrency_limit"
        assert refused.value.message.startswith("All 2 WebSocket connections of the Free plan are open.")
        assert (await ausage_of(caller.organisation_id)).connections == 0


class TestQueue:
    async def test_a_run_that_is_queued_takes_the_keys_rate_and_nothing_else(
        self, cast: Cast, running: Metering
    ) -> None:
        caller = caller_of(cast.alice.organisation.pk)
        plan = replace(FREE, rate=Rate(per_second=0.001, burst=2), sync_concurrency=1)
        async with admit_run(caller, plan, run_id=uuid4()):
            headers = await admit_to_queue(caller, plan, waiting=10)
            assert re.match(r'"runs";r=4988;t=\d+, "requests";r=0;t=\d+$', headers["RateLimit"])
            with pytest.raises(LimitExceeded) as refused:
                await admit_to_queue(caller, plan, waiting=10)
        assert refused.value.code == "rate_limit"
        assert (await ausage_of(caller.organisation_id)).runs_used == 0

    async def test_what_waits_already_counts_as_used(self, cast: Cast, running: Metering) -> None:
        caller = caller_of(cast.alice.organisation.pk)
        plan = replace(FREE, runs_per_month=3)
        await admitted(caller, plan)
        await admit_to_queue(caller, plan, waiting=1)
        with pytest.raises(LimitExceeded) as refused:
            await admit_to_queue(caller, plan, waiting=2)
        assert refused.value.code == "run_quota"
        assert refused.value.message.startswith("All 3 runs of the Free plan are used or taken by the 2 that wait.")
        assert int(refused.value.headers["Retry-After"]) > 0

    async def test_a_queued_run_is_carried_out_past_its_keys_rate_and_places(
        self, cast: Cast, running: Metering
    ) -> None:
        caller = caller_of(cast.alice.organisation.pk)
        plan = replace(FREE, rate=Rate(per_second=0.001, burst=1), sync_concurrency=1, runs_per_month=3)
        async with admit_run(caller, plan, run_id=uuid4()):
            for _ in range(2):
                async with admit_run(caller, plan, run_id=uuid4(), queued=True) as admission:
                    admission.settle(USAGE)
            with pytest.raises(LimitExceeded) as refused:
                await admit_run(caller, plan, run_id=uuid4(), queued=True).__aenter__()
        assert refused.value.code == "run_quota"


# The grammar of RFC 9651 as far as these headers use it: a list of strings with parameters.
ITEM = r'"[a-z]+"(;[a-z]+=(\d+|"[a-z-]+"))*'


async def test_the_headers_are_lists_of_policies(cast: Cast, running: Metering) -> None:
    headers = await admitted(caller_of(cast.alice.organisation.pk), FREE)
    month = current_month()
    assert headers["RateLimit-Policy"] == (
        f'"runs";q=5000;w={month.end - month.start}, "concurrency";q=4;qu="concurrent-requests", "requests";q=500;w=10'
    )
    assert re.fullmatch(r'"runs";r=4999;t=\d+, "requests";r=499;t=1', headers["RateLimit"])
    for value in headers.values():
        assert re.fullmatch(rf"{ITEM}(, {ITEM})*", value)


async def test_what_is_left_goes_down_run_by_run(cast: Cast, running: Metering) -> None:
    caller = caller_of(cast.alice.organisation.pk)
    left = []
    for settled in (True, True, False, True):
        headers = await admitted(caller, FREE, settled=settled)
        left.append(re.match(r'"runs";r=(\d+)', headers["RateLimit"])[1])
    assert left == ["4999", "4998", "4997", "4997"]


def test_a_wait_is_rounded_up() -> None:
    assert [seconds(microseconds) for microseconds in (0, 1, 1_000_000, 1_000_001)] == [0, 1, 1, 2]


def test_a_plan_gives_the_sandbox_its_limits() -> None:
    assert limits_for(FREE) == Limits()


@given(
    time_limit=st.none() | st.floats(0.001, 1000),
    memory_limit=st.none() | st.integers(16, 512),
    wall_seconds=st.floats(1, 300),
    memory=st.integers(32, 4096),
)
def test_a_request_lowers_the_plans_limits_and_never_raises_them(
    time_limit: float | None, memory_limit: int | None, wall_seconds: float, memory: int
) -> None:
    most = ExecutionLimits(wall_seconds=wall_seconds, memory_bytes=memory * MIB, cpu_cores=1.5, processes=10)
    limits = limits_for(replace(PRO, limits=most), time_limit=time_limit, memory_limit=memory_limit)
    assert limits.wall_seconds == (wall_seconds if time_limit is None else min(wall_seconds, time_limit))
    assert limits.memory_bytes == (memory * MIB if memory_limit is None else min(memory, memory_limit) * MIB)
    assert (limits.cpu_cores, limits.processes) == (1.5, 10)
