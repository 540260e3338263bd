"""Who carries out which run, and what happens when they die, are slow, are told to stop, or may not."""

import asyncio
import json
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError
from django.utils import timezone

from accounts.key_lifecycle import change_api_key
from billing.models import RunCharge, UsagePeriod
from billing.periods import current_month
from billing.plans import FREE
from execution import cancelling
from execution.async_runs import outcomes, queue
from execution.async_runs.carrying import MOST_ATTEMPTS, PATIENCE
from execution.async_runs.service import queue_service
from execution.async_runs.worker import Worker
from execution.models import Delivery, Run
from execution.models.packing import pack
from tests.async_runs.test_run_code import ended, received, until
from tests.billing.runs import flush
from tests.history.conftest import FORTY_TWO
from tests.server import free_port

SLEEPER = {"compiler": "python-3.14", "code": "print(1, flush=True)\nimport time\ntime.sleep(20)"}


def waiting(person, code="print(6 * 7)", **fields):
    return Run.objects.create(
        organisation=person.organisation,
        key_id=person.api_key_row.pk,
        key_kind="api",
        surface=Run.Surface.ASYNC,
        compiler="python-3.14",
        request=pack({"compiler": "python-3.14", "code": code}),
        **fields,
    )


async def queued(person, *arguments, **fields):
    return await sync_to_async(waiting)(person, *arguments, **fields)


async def send_results_of(person, receiver):
    key = person.api_key_row
    await sync_to_async(change_api_key)(key=key, name=key.name, redirect_url=receiver.url)


async def billed():
    await flush()
    return await RunCharge.objects.acount()


def use_up_the_month(person):
    month = current_month()
    UsagePeriod.objects.create(
        organisation=person.organisation, start=month.starts_at, end=month.ends_at, runs=FREE.runs_per_month
    )


class TestTurns:
    def test_organisations_are_served_in_turn_and_runs_of_each_in_their_order(self, cast):
        alices = [waiting(cast.alice).pk for _ in range(4)]
        charlies = [waiting(cast.charlie).pk for _ in range(2)]
        taken, last = [], 0
        while run := queue.claim("worker", after=last):
            taken.append(run.pk)
            last = run.organisation_id
        assert taken == [alices[0], charlies[0], alices[1], charlies[1], alices[2], alices[3]]

    def test_a_run_is_taken_once(self, cast):
        run = waiting(cast.alice)
        taken = queue.claim("worker", after=0)
        assert (taken.pk, taken.status, taken.worker, taken.attempts) == (run.pk, "running", "worker", 1)
        assert taken.leased_until > taken.started_at
        assert queue.claim("other", after=0) is None

    async def test_two_workers_share_the_queue_and_run_nothing_twice(self, api, cast):
        runs = [await queued(cast.alice) for _ in range(12)]
        async with queue_service(), queue_service():
            for run in runs:
                run = await ended(run.pk)
                assert (run.outcome, run.attempts) == ("success", 1)
        assert await billed() == 12


class TestDeath:
    async def test_the_run_of_a_dead_worker_is_carried_out_again_and_billed_once(self, api, cast):
        run = await queued(cast.alice)
        taken = await sync_to_async(queue.claim)("dead", after=0)
        # It died after the bill and before the outcome was recorded.
        worker = Worker(places=1)
        await worker._see_through(taken)
        await Run.objects.filter(pk=run.pk).aupdate(
            status="running", outcome="", worker="dead", leased_until=timezone.now() - timedelta(seconds=1)
        )
        await worker.aclose()
        assert await billed() == 1

        async with queue_service():
            run = await ended(run.pk)
        assert (run.outcome, run.attempts, bytes(run.stdout)) == ("success", 2, b"42\n")
        assert await billed() == 1
        assert (await RunCharge.objects.aget()).pk == run.uuid

    def test_a_living_workers_run_is_left_to_it(self, cast):
        waiting(cast.alice)
        run = queue.claim("alive", after=0)
        Run.objects.update(leased_until=timezone.now() + timedelta(seconds=1))
        assert queue.requeue_lapsed() == 0
        queue.renew("alive", [run.pk])
        run.refresh_from_db()
        assert run.leased_until > timezone.now() + timedelta(seconds=queue.LEASE_SECONDS / 2)

    def test_a_slow_worker_writes_nothing_over_what_the_next_one_does(self, cast):
        waiting(cast.alice)
        slow = queue.claim("slow", after=0)
        Run.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        assert queue.requeue_lapsed() == 1
        second = queue.claim("second", after=0)
        assert not outcomes.finish(slow, FORTY_TWO)
        queue.give_back(slow)
        queue.renew("slow", [slow.pk])
        second.refresh_from_db()
        assert (second.status, second.worker) == ("running", "second")
        assert outcomes.finish(second, FORTY_TWO)
        assert not outcomes.finish(second, FORTY_TWO)

    def test_a_slow_workers_outcome_counts_while_nobody_took_the_run(self, cast):
        waiting(cast.alice)
        slow = queue.claim("slow", after=0)
        Run.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        queue.requeue_lapsed()
        assert outcomes.finish(slow, FORTY_TWO)
        assert queue.claim("second", after=0) is None

    @pytest.mark.django_db(transaction=True)
    def test_the_outcome_is_recorded_with_its_delivery_or_not_at_all(self, cast, receiver):
        change_api_key(key=cast.alice.api_key_row, name="Alice", redirect_url=receiver.url)
        waiting(cast.alice)
        run = queue.claim("worker", after=0)
        outcomes.finish(run, FORTY_TWO)
        first = Delivery.objects.get()
        Run.objects.update(status="running", worker="worker", outcome="")
        # A second delivery of the same run cannot be.
        with pytest.raises(IntegrityError):
            outcomes.finish(run, FORTY_TWO)
        run.refresh_from_db()
        assert (run.status, run.outcome) == ("running", "")
        assert Delivery.objects.get() == first

    async def test_a_stopping_worker_puts_its_runs_back(self, api, cast):
        run = await queued(cast.alice, SLEEPER["code"])
        async with queue_service():
            await until(Run.objects.filter(pk=run.pk, status="running").aexists)
            await asyncio.sleep(0.5)
        await run.arefresh_from_db()
        assert (run.status, run.worker, run.leased_until, run.attempts) == ("queued", "", None, 1)
        assert await billed() == 0

    async def test_a_claim_that_a_stopping_worker_did_not_wait_for_is_put_back(self, api, cast):
        run = await queued(cast.alice)
        worker = Worker(places=1)
        await sync_to_async(queue.claim)(worker.id, after=0)
        await worker.aclose()
        await run.arefresh_from_db()
        assert (run.status, run.worker) == ("queued", "")

    async def test_a_run_that_is_never_carried_out_is_given_up_after_a_long_while(self, api, cast, receiver, served):
        await send_results_of(cast.alice, receiver)
        long_ago = timezone.now() - PATIENCE - timedelta(minutes=1)
        run = await queued(cast.alice, attempts=MOST_ATTEMPTS, created_at=long_ago)
        run = await ended(run.pk)
        assert (run.status, run.outcome, run.refusal_code) == ("finished", "", "sandbox_unavailable")
        body = json.loads((await received(receiver))[0].body)
        assert (body["status"], body["exit_code"], body["code"]) == ("error", None, "sandbox_unavailable")
        assert "our fault" in body["error"]
        assert await billed() == 0


class TestCancelling:
    async def test_a_running_program_is_ended_and_not_billed(self, api, cast, receiver, served):
        await send_results_of(cast.alice, receiver)
        run = await queued(cast.alice, SLEEPER["code"])
        await until(Run.objects.filter(pk=run.pk, status="running").aexists)
        await sync_to_async(cancelling.cancel)(run)
        run = await ended(run.pk)
        assert (run.status, run.outcome, run.worker) == ("cancelled", "", "")
        assert (run.finished_at - run.started_at).total_seconds() < 15
        assert await billed() == 0
        assert not await Delivery.objects.aexists()

    async def test_a_wish_that_came_before_the_worker_died_is_kept(self, api, cast, served):
        run = await queued(cast.alice, SLEEPER["code"], cancel_requested=True)
        assert (await ended(run.pk)).status == "cancelled"
        assert await billed() == 0


class TestQuota:
    async def test_a_month_that_is_used_up_before_its_turn_ends_a_run_with_a_refusal(self, api, cast, receiver, served):
        await send_results_of(cast.alice, receiver)
        await sync_to_async(use_up_the_month)(cast.alice)
        run = await ended((await queued(cast.alice)).pk)
        assert (run.status, run.outcome, run.refusal_code) == ("finished", "", "run_quota")
        body = json.loads((await received(receiver))[0].body)
        assert (body["status"], body["exit_code"], body["code"]) == ("error", None, "run_quota")
        assert body["error"].startswith("All 5,000 runs of the Free plan are used.")
        assert await billed() == 0

    async def test_a_run_that_was_the_months_last_is_carried_out_again_when_its_worker_died(self, api, cast, served):
        await sync_to_async(use_up_the_month)(cast.alice)
        run = await sync_to_async(waiting)(cast.alice, status="running", attempts=1, leased_until=timezone.now())
        await RunCharge.objects.acreate(
            id=run.uuid,
            organisation=cast.alice.organisation,
            period_start=current_month().starts_at,
            key_id=run.key_id,
            key_kind="api",
            compiler=run.compiler,
            outcome="success",
            started_at=timezone.now(),
            wall_seconds=0,
            cpu_seconds=0,
            memory_bytes=0,
        )
        run = await ended(run.pk)
        assert (run.outcome, run.attempts) == ("success", 2)
        assert await billed() == 1
        assert (await UsagePeriod.objects.aget()).runs == FREE.runs_per_month


async def test_what_cannot_be_carried_out_now_waits_and_is_not_refused(cast, settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}"
    run = await queued(cast.alice)
    async with queue_service():
        await until(Run.objects.filter(pk=run.pk, attempts=1, status="queued").aexists)
    assert (await Run.objects.aget()).refusal_code == ""
