"""Runs in the history, as the surfaces leave them there."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.metering import metering_service
from execution import history
from execution.catalogue import COMPILERS
from execution.models import Run
from execution.models.packing import pack
from execution.models.results import columns_of
from execution.requests import RunRequest
from execution.sandbox.job import Outcome, Result
from execution.sandbox_clients import sandbox_connections
from tests.cast import Cast, Person
from tests.execution.conftest import Api
from tests.sandbox.supervisors import RunningSupervisor

MakeRun = Callable[..., Run]


def result(**fields: Any) -> Result:
    return Result(
        **{
            "outcome": Outcome.SUCCESS,
            "exit_code": 0,
            "signal": None,
            "stdout": b"42\n",
            "stderr": b"",
            "stdout_truncated": False,
            "stderr_truncated": False,
            "wall_seconds": 0.25,
            "total_seconds": 0.5,
            "cpu_seconds": 0.125,
            "compile_seconds": None,
            "compile_output": b"",
            "memory_bytes": 8 * 1024 * 1024,
            **fields,
        }
    )


FORTY_TWO = result()


def request(code: str = "print(6 * 7)", compiler: str = "python-3.14", **fields: Any) -> RunRequest:
    return RunRequest.from_data({"compiler": compiler, "code": code, **fields})


@pytest.fixture
def make_run(db: None) -> MakeRun:
    """A run of this person's organisation: finished, unless another status is named."""

    def make(person: Person, *, status: str = "finished", result: Result = FORTY_TWO, **fields: Any) -> Run:
        now = timezone.now()
        compiler = fields.get("compiler", "python-3.14")
        values: dict[str, Any] = {
            "organisation": person.organisation,
            "key_id": person.api_key_row.pk,
            "key_kind": "api",
            "surface": Run.Surface.SYNC,
            "compiler": compiler,
            "status": status,
            "request": pack(request(COMPILERS[compiler].sample, compiler).to_data()),
            "created_at": now - timedelta(seconds=2),
        }
        if status == "finished":
            values |= {"started_at": now - timedelta(seconds=1), "finished_at": now, **columns_of(result)}
        return Run.objects.create(**values | fields)

    return make


@pytest.fixture
def kept(transactional_db: None) -> Iterator[history.History]:
    """The history of a process, without a web process around it."""
    running = history.History()
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def api(cast: Cast, sandbox: RunningSupervisor) -> AsyncIterator[Api]:
    """The API as Alice calls it, with a history behind it."""
    async with metering_service(), sandbox_connections(), history.history_service():
        yield Api(cast.alice.api_key)
