"""One case: the program runs on its input, and what it printed is judged by a comparison or a checker program."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from django.utils import timezone

from accounts.caller import Caller
from config.errors import ApiError, InvalidRequest, Unavailable
from execution.batch_requests import CHECKED_FILES, BatchRequest, Case
from execution.requests import RunRequest
from execution.results import BYTES_PER_CHARACTER, SHOWN_CHARACTERS, shown
from execution.runs import run_code
from execution.sandbox.job import Outcome, Result
from execution.verdicts import Verdict, failure_of

# Comparing less takes no longer than the hop to a thread.
_SMALL: Final = 64 * 1024

# What a checker says by its exit code, as testlib's do: 0 accepted, 1 wrong, 2 badly formatted.
_WRONG: Final = (1, 2)


# A sandbox that is not available for a moment ends no batch: seconds of the pauses between attempts.
_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)


class CheckerFailed(Exception):
    """The checker gave no judgement: it did not compile, was ended by a limit, crashed, or could not be run at all.

    `error` says which, `messages` what the checker or its compiler did. The program's own run is counted.
    """

    def __init__(self, error: ApiError, messages: bytes | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.messages = messages


# Enough for the characters that are shown, and to see that there are more. A thousand outputs of a megabyte each are
# neither for the memory, while a client reads slowly, nor for the history.
_KEPT_BYTES: Final = (SHOWN_CHARACTERS + 2) * BYTES_PER_CHARACTER


@dataclass(frozen=True, slots=True)
class Judged:
    """A case that came to its end. `verdict` None: it ended well, and there is nothing that its output should be.

    Of the outputs only as much is left as an answer shows.
    """

    position: int
    run_id: UUID
    result: Result
    verdict: Verdict | None
    checker_output: bytes | None
    started_at: datetime
    finished_at: datetime = field(default_factory=timezone.now)

    @property
    def failed(self) -> bool:
        return self.verdict not in (None, Verdict.ACCEPTED)


def run_id_of(batch_id: UUID, position: int) -> UUID:
    """The id under which a case is billed, the same however often its batch is taken up."""
    return uuid5(batch_id, str(position))


async def judge(batch: BatchRequest, position: int, *, caller: Caller, batch_id: UUID) -> Judged:
    """Runs a case and judges it. Raises what `run_code` raises, and CheckerFailed."""
    case = batch.cases[position]
    run_id = run_id_of(batch_id, position)
    started_at = timezone.now()
    result = await _run(batch.request_of(case), caller=caller, run_id=run_id)
    checker_output = None
    verdict = failure_of(result.outcome)
    if verdict is None and batch.checker is not None:
        verdict, checker_output = await _check(
            batch.checker, case, result, caller=caller, run_id=uuid5(run_id, "check")
        )
    elif verdict is None and case.expected is not None:
        verdict = Verdict.ACCEPTED if await _same(batch, case.expected, result.stdout) else Verdict.WRONG_ANSWER
    return Judged(position, run_id, _cut(result), verdict, checker_output, started_at)


def _cut(result: Result) -> Result:
    return replace(
        result,
        stdout=result.stdout[:_KEPT_BYTES],
        stdout_truncated=shown(result.stdout, cut=result.stdout_truncated)[1],
        stderr=result.stderr[:_KEPT_BYTES],
        stderr_truncated=shown(result.stderr, cut=result.stderr_truncated)[1],
        compile_output=result.compile_output[:_KEPT_BYTES],
    )


async def _same(batch: BatchRequest, expected: bytes, output: bytes) -> bool:
    if len(output) + len(expected) <= _SMALL:
        return batch.comparison.same(output, expected)
    return await asyncio.to_thread(batch.comparison.same, output, expected)


async def _check(
    checker: RunRequest, case: Case, result: Result, *, caller: Caller, run_id: UUID
) -> tuple[Verdict, bytes]:
    """The checker's verdict and what it printed."""
    try:
        checked = await _run(checker_request(checker, case, result.stdout), caller=caller, run_id=run_id)
    except ApiError as error:
        raise CheckerFailed(error) from error
    said = (checked.stdout + checked.stderr)[:_KEPT_BYTES]
    if checked.outcome is Outcome.SUCCESS:
        return Verdict.ACCEPTED, said
    if checked.outcome is Outcome.RUNTIME_ERROR and checked.signal is None and checked.exit_code in _WRONG:
        return Verdict.WRONG_ANSWER, said
    messages = checked.compile_output if checked.outcome is Outcome.COMPILE_ERROR else checked.stderr
    raise CheckerFailed(InvalidRequest(_failure(checked), code="checker_failed"), messages)


async def _run(request: RunRequest, *, caller: Caller, run_id: UUID) -> Result:
    """As `run_code`, with some patience."""
    for pause in _PAUSES:
        try:
            return (await run_code(caller=caller, request=request, run_id=run_id, queued=True)).result
        except Unavailable as error:
            if error.code == "toolchain_unavailable":
                raise
            await asyncio.sleep(pause)
    return (await run_code(caller=caller, request=request, run_id=run_id, queued=True)).result


def checker_request(checker: RunRequest, case: Case, output: bytes) -> RunRequest:
    """The checker with what it is to judge, as files whose names are its arguments."""
    given = dict(zip(CHECKED_FILES, (case.input, output, case.expected or b""), strict=True))
    return replace(checker, files={**checker.files, **given}, args=CHECKED_FILES, data_files=CHECKED_FILES)


def _failure(checked: Result) -> str:
    if checked.outcome is Outcome.COMPILE_ERROR:
        return "The checker does not compile."
    if checked.outcome is Outcome.RUNTIME_ERROR:
        ended = f"signal {checked.signal}" if checked.signal else f"exit code {checked.exit_code}"
        return f"The checker ended with {ended}; 0 accepts, 1 and 2 reject."
    return f"The checker was ended: {checked.outcome.value}."
