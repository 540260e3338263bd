"""The verdict on one case of a batch: how its run ended and, if it ended well, whether the output was right."""

from enum import StrEnum
from typing import Final

from execution.sandbox.job import Outcome


class Verdict(StrEnum):
    """The words of online judges, closed: a client may match on all of them."""

    ACCEPTED = "accepted"
    WRONG_ANSWER = "wrong_answer"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    RUNTIME_ERROR = "runtime_error"
    COMPILE_ERROR = "compile_error"


# A program that prints without end is stopped like one that crashes, and never gave an answer that could be right.
_FAILED: Final = {
    Outcome.RUNTIME_ERROR: Verdict.RUNTIME_ERROR,
    Outcome.OUTPUT_LIMIT: Verdict.RUNTIME_ERROR,
    Outcome.TIME_LIMIT: Verdict.TIME_LIMIT,
    Outcome.MEMORY_LIMIT: Verdict.MEMORY_LIMIT,
    Outcome.COMPILE_ERROR: Verdict.COMPILE_ERROR,
}


def failure_of(outcome: Outcome) -> Verdict | None:
    """The verdict that the end of the run alone decides; None when the program ended well and its output decides."""
    return _FAILED.get(outcome)
