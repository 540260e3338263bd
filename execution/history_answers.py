"""A run of the history as the API tells it: in short in a list, in full by itself."""

from datetime import datetime
from typing import Any

from execution.history_requests import request_data
from execution.models import Run
from execution.models.results import result_of
from execution.results import answer_of


def listed(run: Run) -> dict[str, Any]:
    """What stands in a list: how the run stands and how it ended, without program and output."""
    carried_out = bool(run.outcome)
    return {
        "id": run.pk,
        "status": run.status,
        "surface": run.surface,
        "compiler": run.compiler,
        "key": {"id": run.key_id, "kind": run.key_kind} if run.key_id > 0 else None,
        "batch": {"id": run.batch_id, "position": run.position} if run.batch_id else None,
        "verdict": run.verdict or None,
        "outcome": run.outcome or None,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "time": _seconds(run.wall_seconds),
        "total": _seconds(run.total_seconds),
        "memory": str((run.memory_bytes or 0) // 1024) if carried_out else None,
        "error": {"code": run.refusal_code, "message": run.refusal} if run.refusal_code else None,
        "created_at": moment(run.created_at),
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
    }


def detailed(run: Run, *, extended: bool) -> dict[str, Any]:
    """The whole run. `request` is a body that could be sent again, `result` what was, or would have been, answered;
    either is null when it is not there, `output` and `error` are when they are not kept."""
    request = request_data(run)
    return {
        **listed(run),
        "extra_params": run.extra_params_data,
        "request": request,
        "result": _result(run, extended=extended, with_files=bool((request or {}).get("output_files"))),
    }


def _result(run: Run, *, extended: bool, with_files: bool) -> dict[str, Any] | None:
    result = result_of(run)
    if result is None:
        return None
    answer = answer_of(result, extended=extended, with_files=with_files)
    if run.stdout is None:
        unkept = ("output", "error", "output_base64", "error_base64", "compile_output", "files", "truncated")
        answer |= {name: None for name in unkept if name in answer}
    return answer


def moment(value: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the millisecond."""
    return None if value is None else value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"
