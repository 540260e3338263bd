"""Without Redis, one process per RUNCODE_HOME."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from billing.metering import metering_service
from billing.plans import FREE
from billing.sole_process import AnotherProcess, claim
from config.errors import Unavailable
from tests.billing.runs import caller_of, run
from tests.cast import Cast

HOLDER = """
import sys, time
from pathlib import Path
from billing.sole_process import claim
claim(Path(sys.argv[1]), shared=sys.argv[2] == "shared")
print("held", flush=True)
sys.stdin.read()
"""


def holder(folder: Path, how: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", HOLDER, str(folder), how]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def test_the_second_process_is_refused_with_the_remedy(tmp_path: Path) -> None:
    first = holder(tmp_path, "alone")
    with pytest.raises(AnotherProcess, match="set REDIS_URL for both"):
        claim(tmp_path, shared=False)
    end(first)
    os.close(claim(tmp_path, shared=False))


def test_processes_with_redis_may_be_many(tmp_path: Path) -> None:
    first = holder(tmp_path, "shared")
    os.close(claim(tmp_path, shared=True))
    end(first)


def test_one_without_redis_may_not_join_those_with_it(tmp_path: Path) -> None:
    first = holder(tmp_path, "shared")
    with pytest.raises(AnotherProcess, match="set REDIS_URL"):
        claim(tmp_path, shared=False)
    end(first)


def test_one_with_redis_may_not_join_one_without(tmp_path: Path) -> None:
    first = holder(tmp_path, "alone")
    with pytest.raises(AnotherProcess, match="the same REDIS_URL"):
        claim(tmp_path, shared=True)
    end(first)


async def test_a_refused_process_does_not_start(transactional_db: None, settings: Any) -> None:
    first = holder(settings.RUNCODE_HOME / "journal", "alone")
    with pytest.raises(AnotherProcess):
        async with metering_service():
            raise AssertionError("It started.")
    end(first)
    async with metering_service():
        pass


async def test_a_run_beside_the_serving_process_is_refused_in_words(cast: Cast, settings: Any) -> None:
    first = holder(settings.RUNCODE_HOME / "journal", "alone")
    with pytest.raises(Unavailable, match="Another process"):
        await run(caller_of(cast.alice.organisation.pk), FREE)
    end(first)
