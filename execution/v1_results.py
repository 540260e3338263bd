"""A sandbox's `Result` in the words of `POST /v1/execute`."""

import math
from typing import Any

from execution.results import error_of, text_of
from execution.sandbox.job import Outcome, Result


def v1_answer_of(result: Result) -> dict[str, Any]:
    """The JSON object of a result, with all that was kept of both outputs.

    `executionTime` is, like the timeout, the program's alone: whole milliseconds, rounded up, so that 0 says that it
    never ran (it did not compile).
    """
    return {
        "data": {
            "stdout": text_of(result.stdout, cut=result.stdout_truncated),
            "stderr": text_of(error_of(result), cut=result.stderr_truncated),
            "exitCode": result.exit_code,
            "executionTime": math.ceil(result.wall_seconds * 1000),
            "timedOut": result.outcome is Outcome.TIME_LIMIT,
        }
    }
