"""The second door to the sandbox, for what only reads a program: linters and formatters.

The same admission as for runs: the account's rate and concurrency hold, and where the month's runs are used up, tools
rest too. But the run of the quota is given back at the end: nothing of the customer's was executed.
"""

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from django.conf import settings

from accounts.caller import Caller
from billing.subscriptions import plan_for
from config.errors import Unavailable
from execution.capacity import admit_run, limits_for
from execution.catalogue import TOOLCHAINS, installed, installed_tools
from execution.runs import carry_out, no_toolchain
from execution.sandbox.job import Job, Result

# The slowest, F#'s compiler and RuboCop, take two seconds on an idle machine.
SECONDS: Final = 10.0


async def run_tool(
    *,
    caller: Caller,
    toolchain: str,
    command: tuple[str, ...],
    files: Mapping[str, bytes],
    entrypoint: str,
    stdin: bytes = b"",
    connection: str | None = None,
) -> Result:
    """Runs a command of a toolchain's root over these files. `connection` is the id of the WebSocket connection that
    asks, as for `run_code`.

    Raises LimitExceeded, and Unavailable (`toolchain_unavailable`, `sandbox_unavailable`).
    """
    if not is_installed(toolchain):
        raise no_tool(toolchain)
    plan = await plan_for(caller.organisation_id)
    run_id = uuid4()
    job = Job(
        compiler=toolchain,
        files=files,
        entrypoint=entrypoint,
        stdin=stdin,
        limits=limits_for(plan, time_limit=SECONDS),
        command=command,
    )
    async with admit_run(caller, plan, run_id=run_id, connection=connection):
        return await carry_out(job, run_id)


def is_installed(toolchain: str) -> bool:
    home = settings.RUNCODE_HOME
    return toolchain in installed(home) or toolchain in installed_tools(home)


def no_tool(toolchain: str) -> Unavailable:
    if toolchain == "code-tools":
        return Unavailable(
            "The linters and formatters are not installed here: the operator can do it, by "
            "./manage.py toolchains install code-tools.",
            code="toolchain_unavailable",
        )
    return no_toolchain(TOOLCHAINS[toolchain])
