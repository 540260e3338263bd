"""A batch as JSON: how it stands, and each of its tests."""

from typing import Any

from execution.batches.judging import Judged
from execution.history_answers import moment
from execution.models import Batch, Run
from execution.models.packing import unpack
from execution.models.results import result_of
from execution.results import answer_of, shown
from execution.sandbox.job import Result


def summary(batch: Batch) -> dict[str, Any]:
    """How the batch stands, without its tests."""

    def text(kept: bytes | memoryview | None) -> str | None:
        return None if kept is None else shown(bytes(kept), cut=False)[0]

    return {
        "id": batch.pk,
        "status": batch.status,
        "compiler": batch.compiler,
        "tests": batch.tests,
        "done": batch.done,
        "accepted": batch.accepted,
        "score": batch.score,
        "verdict": batch.verdict or None,
        "compile_output": text(batch.compile_output),
        "checker_error": text(batch.checker_error),
        "error": {"code": batch.refusal_code, "message": batch.refusal} if batch.refusal_code else None,
        "extra_params": unpack(batch.extra_params),
        "created_at": moment(batch.created_at),
        "started_at": moment(batch.started_at),
        "finished_at": moment(batch.finished_at),
    }


def test_of(judged: Judged) -> dict[str, Any]:
    """One test as it has just ended."""
    return _test(judged.position, judged.result, judged.verdict, judged.checker_output)


def tests_of(batch: Batch) -> list[dict[str, Any]]:
    """The tests that have ended, as their rows tell them. Blocks."""
    cases = batch.cases.order_by("position").defer("request", "extra_params", "files")
    return [_test_of_run(run) for run in cases]


def _test_of_run(run: Run) -> dict[str, Any]:
    """One test, from its row. Its outputs are null where they are not kept."""
    result = result_of(run)
    assert result is not None  # noqa: S101 (a case becomes a row when it has ended)
    checker_output = None if run.checker_output is None else bytes(run.checker_output)
    test = _test(run.position or 0, result, run.verdict or None, checker_output)
    if run.stdout is None:
        test |= {"output": None, "error": None}
    return test


def _test(position: int, result: Result, verdict: str | None, checker_output: bytes | None) -> dict[str, Any]:
    return {
        "position": position,
        "verdict": verdict,
        **answer_of(result, extended=False, with_files=False),
        "outcome": result.outcome.value,
        "cpu_time": f"{result.cpu_seconds:.4f}",
        "checker_output": None if checker_output is None else shown(checker_output, cut=False)[0],
    }
