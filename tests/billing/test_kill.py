"""kill -9 at every step between a run and its bill: no quota is overrun, nothing is billed twice or never."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection

from billing.metering import metering_service
from billing.models import RunCharge, UsagePeriod
from billing.usage import ausage_of
from tests.billing.dying_process import STEPS
from tests.billing.runs import caller_of, plan_of_runs, runs_until_refused
from tests.cast import Cast


def database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    address = f"{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    return f"postgres://{address}/{database['NAME']}"


@contextmanager
def dying_process(organisation_id: int, number: int, what: str, redis_url: str) -> "Iterator[subprocess.Popen[str]]":
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url(),
        "REDIS_URL": redis_url,
        "RUNCODE_LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "tests.billing.dying_process", str(organisation_id), str(number), what]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def kill(process: "subprocess.Popen[str]") -> set[UUID]:
    """Kills it where it stands; returns the runs that it had answered, whole lines only."""
    process.kill()
    output = process.stdout.read()
    return {UUID(line) for line in output[: output.rfind("\n") + 1].split() if line != "refused"}


async def billed() -> set[UUID]:
    return {run_id async for run_id in RunCharge.objects.values_list("pk", flat=True)}


@pytest.mark.parametrize("step", STEPS)
async def test_killed_when(step: str, cast: Cast, transactional_db: None, redis_url: str) -> None:
    organisation_id = cast.alice.organisation.pk
    with dying_process(organisation_id, 3, step, redis_url) as process:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
    answered = {UUID(line) for line in output.split()}
    expected = 4 if STEPS[step][0] else 3

    async with metering_service():
        # Recovered before anything is served.
        assert answered <= await billed()
        assert len(await billed()) == expected
        assert (await UsagePeriod.objects.aget()).runs == expected
        assert (await ausage_of(organisation_id)).runs_used == expected
        assert await runs_until_refused(caller_of(organisation_id), plan_of_runs(8)) == 8 - expected
    assert len(await billed()) == (await UsagePeriod.objects.aget()).runs == 8


async def test_killed_again_and_again_under_load(cast: Cast, transactional_db: None, redis_url: str) -> None:
    organisation_id, quota = cast.alice.organisation.pk, 400
    answered: set[UUID] = set()
    for _ in range(4):
        with dying_process(organisation_id, quota, "forever", redis_url) as process:
            process.stdout.readline()
            time.sleep(random.uniform(0, 0.3))  # noqa: ASYNC251
            answered |= kill(process)
    async with metering_service():
        assert answered <= await billed()
        await runs_until_refused(caller_of(organisation_id), plan_of_runs(quota))
    assert len(await billed()) == (await UsagePeriod.objects.aget()).runs == quota


@pytest.mark.parametrize("redis_url", ["redis"], indirect=True)
async def test_one_of_two_processes_killed_under_load(cast: Cast, transactional_db: None, redis_url: str) -> None:
    organisation_id, quota = cast.alice.organisation.pk, 400
    with (
        dying_process(organisation_id, quota, "forever", redis_url) as killed,
        dying_process(organisation_id, quota, "forever", redis_url) as survivor,
    ):
        killed.stdout.readline()
        survivor.stdout.readline()
        time.sleep(random.uniform(0, 0.2))  # noqa: ASYNC251
        answered = kill(killed)
        for line in survivor.stdout:
            if line == "refused\n":
                break
            answered.add(UUID(line.strip()))
        answered |= kill(survivor)
    async with metering_service():
        assert answered <= await billed()
        assert len(await billed()) <= quota
        await runs_until_refused(caller_of(organisation_id), plan_of_runs(quota))
    assert len(await billed()) == (await UsagePeriod.objects.aget()).runs == quota
