"""A cell's result as an Execution: the JSON object that `POST /execute` answers with, and its parts."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from execution.catalogue import COMPILERS
from execution.results import text_of
from execution.sandbox.cells import CellOutcome, CellResult, ContextInfo, Item
from execution.sandbox.kernels import KERNELS

FIELD_OF: Final = {
    "text/plain": "text",
    "text/html": "html",
    "text/markdown": "markdown",
    "image/svg+xml": "svg",
    "image/png": "png",
    "image/jpeg": "jpeg",
    "application/pdf": "pdf",
    "text/latex": "latex",
    "application/json": "json",
    "application/javascript": "javascript",
}
"""MIME type → the field of an item that carries it. All others stand under `extra`, by their type."""

_STOPPED: Final = {
    CellOutcome.TIME_LIMIT: ("TimeoutError", "The cell took longer than its time and was interrupted."),
    CellOutcome.OUTPUT_LIMIT: ("OutputLimit", "The cell showed or printed more than is kept and was interrupted."),
    CellOutcome.INTERRUPTED: ("Interrupted", "The cell was interrupted."),
    CellOutcome.MEMORY_LIMIT: (
        "MemoryLimit",
        "The context needed more memory than it may have; its state is lost. Restart it, or open another.",
    ),
    CellOutcome.ENDED: ("ContextEnded", "The context has ended; its state is lost. Restart it, or open another."),
}


def execution_of(context_id: str, result: CellResult) -> dict[str, Any]:
    """The whole answer."""
    execution: dict[str, Any] = {
        "context_id": context_id,
        "items": [item_of(item) for item in latest(result.items)],
        "logs": {
            "stdout": _lines(result.stdout, cut=result.stdout_truncated),
            "stderr": _lines(result.stderr, cut=result.stderr_truncated),
        },
        "execution_count": result.count,
    }
    if error := error_of(result):
        execution["error"] = error
    return execution


def latest(items: Iterable[Item]) -> list[Item]:
    """What is to be seen in the end: an update takes the place of what it updates."""
    shown: list[Item] = []
    places: dict[str, int] = {}
    for item in items:
        place = places.get(item.display_id) if item.display_id else None
        if item.update and place is not None:
            shown[place] = item
            continue
        if item.display_id:
            places[item.display_id] = len(shown)
        shown.append(item)
    return shown


def item_of(item: Item) -> dict[str, Any]:
    """One thing that a cell showed, under the fields of its types."""
    told: dict[str, Any] = {"is_primary": item.primary}
    extra: dict[str, Any] = {}
    for mime, value in item.data.items():
        if field := FIELD_OF.get(mime):
            told[field] = value
        else:
            extra[mime] = value
    if extra:
        told["extra"] = extra
    return told


def shown_of(item: Item) -> dict[str, Any]:
    """An item as it comes while the cell runs: what may be updated has its `display_id`."""
    names = {"display_id": item.display_id, "update": item.update} if item.display_id else {}
    return {"item": item_of(item), **names}


def broken_of(error: BaseException | None) -> dict[str, str]:
    """What ended a cell that was seen to begin, where it was no fault of the cell's."""
    return {"name": type(error).__name__, "value": str(error), "traceback": ""}


def error_of(result: CellResult) -> dict[str, str] | None:
    """The exception that ended the cell, or why it was stopped."""
    traceback = result.error.traceback if result.error else ""
    if stopped := _STOPPED.get(result.outcome):
        name, value = stopped
        return {"name": name, "value": value, "traceback": traceback}
    if result.error is None:
        return None
    return {"name": result.error.name, "value": result.error.value, "traceback": traceback}


def context_of(info: ContextInfo) -> dict[str, Any]:
    """A live context, as it is listed."""
    return {
        "context_id": info.id,
        "language": COMPILERS[KERNELS[info.kernel].compiler].language.lower(),
        "state": info.state,
        "execution_count": info.count,
        "waiting": info.waiting,
        "opened_at": time_of(info.opened_at),
        "used_at": time_of(info.used_at),
        "expires_at": time_of(info.expires_at),
        "memory": info.memory_bytes // 1024,
    }


def _lines(data: bytes, *, cut: bool) -> list[str]:
    lines = text_of(data, cut=cut).split("\n")
    return lines if lines[-1] else lines[:-1]


def time_of(seconds: float) -> str:
    """Seconds since the epoch, as times stand in answers."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
