"""The history of runs that are not rows already: written behind the answers, in batches, by a thread of its own.

The answer does not wait for it: `record` puts a run into a queue in memory and returns. The queue is bounded, so a
database that is away costs history and not memory; and a process that is killed takes the last moments of its history
along. The bill is another matter and has a journal (billing.journal).

What an organisation does not keep never reaches the database: its settings are read with each batch.
"""

import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from asgiref.sync import sync_to_async
from django.db import DatabaseError, InterfaceError, connections, transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Organisation
from execution.history_rows import Row, insert
from execution.models import Run
from execution.models.packing import pack
from execution.models.results import columns_of
from execution.requests import RunRequest
from execution.sandbox.job import Result

_log = structlog.get_logger("runcode.history")

FLUSH_SECONDS: Final = 0.5
"""How long runs gather before they are written together."""

BATCH: Final = 200
LONGEST_PAUSE_SECONDS: Final = 30.0
MOST_BYTES: Final = 64 * 1024 * 1024
"""What may wait in memory for the database: programs, inputs and outputs. What comes on top is not recorded."""

_OVERHEAD: Final = 2048
_OUTPUTS: Final = ("stdout", "stderr", "compile_output", "files")


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that came to its end; it ends now. `result` is None when it was broken off for its client."""

    run_id: UUID
    caller: Caller
    surface: str
    request: RunRequest
    result: Result | None
    started_at: datetime
    finished_at: datetime = field(default_factory=timezone.now)

    @property
    def size(self) -> int:
        result, request = self.result, self.request
        kept = sum(map(len, request.files.values())) + len(request.input)
        if result is None:
            return _OVERHEAD + kept
        kept += len(result.stdout) + len(result.stderr) + len(result.compile_output)
        return _OVERHEAD + kept + sum(len(file.content) for file in result.files)


class History:
    """One process's writer. `record` may be called on any thread; nothing is taken before `start`."""

    def __init__(self) -> None:
        self._waiting: deque[Ended] = deque()
        self._bytes = 0
        self._lost = 0
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def record(self, ended: Ended) -> None:
        """Takes a run for the history; does not block and does not fail."""
        if self._thread is None:
            return
        size = ended.size
        with self._changed:
            if self._bytes + size > MOST_BYTES:
                self._lost += 1
                return
            self._bytes += size
            self._waiting.append(ended)
            if len(self._waiting) == 1:
                self._changed.notify()

    def start(self) -> None:
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Writes what is waiting, as far as that is possible now. Blocks."""
        thread, self._thread = self._thread, None
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if thread is not None:
            thread.join()

    def flush(self) -> None:
        """Writes all that is waiting, in the caller's thread. Raises django.db's errors; what is not written waits."""
        with self._writing:
            while batch := [self._waiting[place] for place in range(min(BATCH, len(self._waiting)))]:
                write(batch)
                with self._changed:
                    for ended in batch:
                        self._waiting.popleft()
                        self._bytes -= ended.size

    def _run(self) -> None:
        failures = 0
        try:
            while not self._stopping:
                with self._changed:
                    self._changed.wait_for(lambda: self._waiting or self._stopping)
                    pause = min(FLUSH_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS)
                    self._changed.wait_for(lambda: self._stopping, pause)
                failures = 0 if self._flushed() else min(failures + 1, 10)
            self._flushed()
        finally:
            connections.close_all()

    def _flushed(self) -> bool:
        try:
            self.flush()
        except (DatabaseError, InterfaceError) as error:
            # The connection may be broken. The next attempt makes a new one.
            connections.close_all()
            _log.warning("history is not written yet", waiting=len(self._waiting), error=type(error).__name__)
            return False
        except Exception:
            # A row that no database takes must not hold up all others for ever.
            _log.exception("history is lost", runs=len(self._waiting))
            with self._changed:
                self._waiting.clear()
                self._bytes = 0
        if self._lost:
            _log.warning("history is incomplete: too much was waiting", runs=self._lost)
            self._lost = 0
        return True


def write(batch: list[Ended]) -> None:
    """Writes these runs as rows; one that is there already stays as it is, one of a deleted organisation is dropped."""
    organisations = {ended.caller.organisation_id for ended in batch}
    with transaction.atomic():
        kept = {
            pk: (sources, outputs)
            for pk, sources, outputs in Organisation.objects.filter(pk__in=organisations).values_list(
                "pk", "keep_sources", "keep_outputs"
            )
        }
        insert([_row(ended, *kept[id_]) for ended in batch if (id_ := ended.caller.organisation_id) in kept])


def outputs_kept(columns: Mapping[str, Any], *, keep: bool) -> dict[str, Any]:
    """The columns of a result as they are stored for an organisation that does, or does not, keep outputs."""
    return {name: None if name in _OUTPUTS and not keep else value for name, value in columns.items()}


def _row(ended: Ended, keep_sources: bool, keep_outputs: bool) -> Row:
    caller, result = ended.caller, ended.result
    status = Run.Status.CANCELLED if result is None else Run.Status.FINISHED
    return {
        "uuid": ended.run_id,
        "organisation_id": caller.organisation_id,
        "key_id": caller.key_id,
        "key_kind": caller.kind,
        "surface": str(ended.surface),
        "compiler": ended.request.compiler.id,
        "status": status.value,
        "request": pack(ended.request.to_data()) if keep_sources else None,
        "created_at": ended.started_at,
        "started_at": ended.started_at,
        "finished_at": ended.finished_at,
        **({} if result is None else outputs_kept(columns_of(result), keep=keep_outputs)),
    }


_history = History()
record = _history.record
flush = _history.flush


@asynccontextmanager
async def history_service() -> AsyncIterator[None]:
    """Keeps the history of a web process from its start to its stop."""
    _history.start()
    try:
        yield
    finally:
        await sync_to_async(_history.stop, thread_sensitive=False)()
