"""The only door to the sandbox: whoever runs a program, over whichever surface, comes through `run_code`.

Plan, then admission (rate, concurrency and quota in one step), then the sandbox, then the bill. Billed is what came
to its end in the sandbox, whatever end that was. A run that could not be carried out, and one whose client went away
before its end (its task is cancelled, which kills the program), give back what they had reserved. But a program that
was watched is billed from its start on, however it ends: its output was seen.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import structlog
from django.conf import settings

from accounts.caller import Caller
from billing.charges import RunUsage
from billing.plans import Plan
from billing.subscriptions import plan_for
from config.errors import Unavailable
from execution import history
from execution.capacity import admit_run, limits_for
from execution.catalogue import TOOLCHAINS, Compiler, installed
from execution.requests import RunRequest
from execution.sandbox.errors import SandboxError, ToolchainMissing
from execution.sandbox.job import Job, Outcome, Result
from execution.sandbox.live import Live
from execution.sandbox_clients import sandbox_client

_log = structlog.get_logger("runcode.runs")


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """A billed run. `headers` (RateLimit, RateLimit-Policy) belong on whatever answer its surface makes of it."""

    run_id: UUID
    result: Result
    headers: Mapping[str, str]


async def run_code(
    *,
    caller: Caller,
    request: RunRequest,
    surface: str | None = None,
    run_id: UUID | None = None,
    queued: bool = False,
    live: Live | None = None,
    connection: str | None = None,
) -> RunAnswer:
    """Runs a program to its end, for the caller's organisation.

    `surface` is one of Run.Surface, under which the run stands in the history; None for one that is a row already.
    `run_id` is that of a run which has one already: however often it is carried out, it is billed once. `queued`: it
    was taken into the queue before, see `admit_run`. `live` sees the streams while the program runs. `connection` is
    the id of the WebSocket connection that the run came over.

    Raises LimitExceeded, and Unavailable (`toolchain_unavailable`, `sandbox_unavailable`, or `unavailable` when the
    limits cannot be checked or the run not be recorded); nothing is billed then.
    """
    check_toolchain(request.compiler)
    plan = await plan_for(caller.organisation_id)
    run_id = run_id or uuid4()
    async with admit_run(caller, plan, run_id=run_id, connection=connection, queued=queued) as admission:
        started_at = datetime.now(UTC)
        try:
            result = await carry_out(job_for(request, plan, caller), run_id, live)
        except asyncio.CancelledError:
            if live is not None and live.started:
                admission.settle(_broken_off(request.compiler, started_at))
                if surface is not None:
                    history.record(history.Ended(run_id, caller, surface, request, None, started_at))
            raise
        admission.settle(
            RunUsage(
                compiler=request.compiler.id,
                outcome=result.outcome.value,
                started_at=started_at,
                wall_seconds=result.total_seconds,
                cpu_seconds=result.cpu_seconds,
                memory_bytes=result.memory_bytes,
            )
        )
    if surface is not None:
        history.record(history.Ended(run_id, caller, surface, request, result, started_at))
    return RunAnswer(run_id, result, admission.headers)


def _broken_off(compiler: Compiler, started_at: datetime) -> RunUsage:
    """What is billed for a watched program that was killed for its client: how much it used nobody has told."""
    seconds = (datetime.now(UTC) - started_at).total_seconds()
    return RunUsage(
        compiler=compiler.id,
        outcome="stopped",
        started_at=started_at,
        wall_seconds=seconds,
        cpu_seconds=0.0,
        memory_bytes=0,
    )


def check_toolchain(compiler: Compiler) -> None:
    """Raises Unavailable (`toolchain_unavailable`) when nothing can run with this compiler here."""
    if compiler.id not in installed(settings.RUNCODE_HOME):
        raise no_toolchain(compiler)


def job_for(request: RunRequest, plan: Plan, caller: Caller) -> Job:
    """The sandbox's job of a request, under its plan's limits. An organisation's compiled programs are kept for it."""
    return Job(
        compiler=request.compiler.id,
        files=request.files,
        entrypoint=request.entrypoint,
        stdin=request.input,
        args=request.args,
        env=request.env,
        limits=limits_for(plan, time_limit=request.time_limit, memory_limit=request.memory_limit),
        output_files=request.output_files,
        data_files=request.data_files,
        cache=str(caller.organisation_id),
    )


async def carry_out(job: Job, run_id: UUID, live: Live | None = None) -> Result:
    """The sandbox's answer to a job that was admitted. Raises Unavailable."""
    try:
        result = await sandbox_client().run(job, live)
    except ToolchainMissing:
        # Removed since run_code looked at the manifests.
        raise no_toolchain(TOOLCHAINS[job.compiler]) from None
    except SandboxError as error:
        # Its text is for the operator: it names paths of the host.
        _log.error("a run was not carried out", run_id=str(run_id), error=str(error))
        raise _no_sandbox() from error
    if result.outcome is Outcome.INTERNAL_ERROR:
        _log.error("a run broke inside the sandbox", run_id=str(run_id), compiler=job.compiler)
        raise _no_sandbox()
    return result


def no_toolchain(compiler: Compiler) -> Unavailable:
    return Unavailable(
        f"{compiler.name} is not installed here. GET /api/compilers/ lists what is available.",
        code="toolchain_unavailable",
    )


def _no_sandbox() -> Unavailable:
    return Unavailable(
        "The program could not be run right now; this is our fault and is not counted. Try again in a moment.",
        code="sandbox_unavailable",
        headers={"Retry-After": "2"},
    )
