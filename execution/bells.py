"""Bells that say: something waits, come and look. Rung after the commit that makes it wait, from any thread.

A bell only saves time. Whoever serves a queue looks into it by themselves now and then, too.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

_log = structlog.get_logger("runcode.queue")


class Bell:
    def __init__(self) -> None:
        self._answers: list[Callable[[], object]] = []

    @contextmanager
    def answered_by(self, answer: Callable[[], object]) -> Iterator[None]:
        """Within the block `answer` is called for each ring, in the ringing thread."""
        self._answers.append(answer)
        try:
            yield
        finally:
            self._answers.remove(answer)

    def ring(self) -> None:
        for answer in tuple(self._answers):
            try:
                answer()
            except Exception as error:
                # A broker that is away, for example: what waits is a row, and the row is safe.
                _log.warning("nobody could be told that something waits", error=type(error).__name__)


runs_waiting = Bell()
deliveries_due = Bell()
