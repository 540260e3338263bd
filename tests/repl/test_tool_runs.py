"""The door of tools: what it counts, whose limits hold there, and what it says where nothing is installed."""

import shutil
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings

from billing.metering import Metering
from billing.plans import FREE
from billing.usage import ausage_of
from config.errors import LimitExceeded, Unavailable
from execution import tool_runs
from execution.capacity import admit_run
from execution.sandbox.job import Outcome, Result
from execution.tool_runs import run_tool
from tests.billing.runs import USAGE, caller_of
from tests.cast import Cast

pytestmark = pytest.mark.usefixtures("sandbox")


async def ask(cast: Cast, *command: str, toolchain: str = "python-3.14") -> Result:
    fields: dict[str, Any] = {"files": {"main.py": b"print(1)"}, "entrypoint": "main.py"}
    caller = caller_of(cast.alice.organisation.pk)
    return await run_tool(caller=caller, toolchain=toolchain, command=command or ("/bin/cat", "{entrypoint}"), **fields)


async def refusal(cast: Cast) -> LimitExceeded:
    with pytest.raises(LimitExceeded) as refused:
        await ask(cast)
    return refused.value


async def test_it_reads_a_program_and_counts_no_run(cast: Cast, running: Metering) -> None:
    result = await ask(cast)
    assert (result.outcome, result.stdout) == (Outcome.SUCCESS, b"print(1)")
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 0


async def test_the_places_of_a_key_hold_for_tools_too(cast: Cast, running: Metering) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(FREE.sync_concurrency):
            await stack.enter_async_context(admit_run(caller_of(cast.alice.organisation.pk), FREE, run_id=uuid4()))
        assert (await refusal(cast)).code == "concurrency_limit"
    assert (await ask(cast)).outcome is Outcome.SUCCESS


async def test_tools_rest_where_the_months_runs_are_used_up(
    cast: Cast, running: Metering, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def one_run(_organisation_id: int) -> Any:
        return replace(FREE, runs_per_month=1)

    monkeypatch.setattr(tool_runs, "plan_for", one_run)
    assert (await ask(cast)).outcome is Outcome.SUCCESS
    async with admit_run(caller_of(cast.alice.organisation.pk), await one_run(0), run_id=uuid4()) as admission:
        admission.settle(USAGE)
    assert (await refusal(cast)).code == "run_quota"


async def test_a_tool_that_does_not_end_is_ended(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_runs, "SECONDS", 0.5)
    assert (await ask(cast, "/bin/sleep", "60")).outcome is Outcome.TIME_LIMIT


async def test_where_the_tools_are_not_installed_it_says_who_can_help(
    cast: Cast, settings: Any, tmp_path: Path
) -> None:
    compilers = Path(django_settings.RUNCODE_HOME, "toolchains", "compilers")
    settings.RUNCODE_HOME = tmp_path
    shutil.copytree(compilers, tmp_path / "toolchains" / "compilers", ignore=shutil.ignore_patterns("code-tools.json"))
    with pytest.raises(Unavailable, match="toolchains install code-tools") as refused:
        await ask(cast, toolchain="code-tools")
    assert refused.value.code == "toolchain_unavailable"
