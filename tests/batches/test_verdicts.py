"""Each end of a run is one verdict, and the verdicts are those that clients know."""

from execution.sandbox.job import Outcome
from execution.verdicts import Verdict, failure_of


def test_the_verdicts_are_the_six_of_the_contract() -> None:
    assert {verdict.value for verdict in Verdict} == set(
        "accepted wrong_answer time_limit memory_limit runtime_error compile_error".split()
    )


def test_every_outcome_but_success_decides_by_itself() -> None:
    undecided = {outcome for outcome in Outcome if failure_of(outcome) is None}
    # An internal error is no end of a run: it is raised, never judged.
    assert undecided == {Outcome.SUCCESS, Outcome.INTERNAL_ERROR}
    assert failure_of(Outcome.TIME_LIMIT) is Verdict.TIME_LIMIT
    assert failure_of(Outcome.OUTPUT_LIMIT) is Verdict.RUNTIME_ERROR
