"""From a sandbox's result to the words of POST /v1/execute."""

import pytest

from execution.sandbox.job import Outcome
from execution.v1_results import v1_answer_of
from tests.execution.test_results import result


def data(**changes) -> dict:
    answer = v1_answer_of(result(**changes))
    assert list(answer) == ["data"]
    return answer["data"]


def test_it_has_exactly_the_five_fields_in_their_types():
    assert data(stdout=b"out\n", stderr=b"err\n", exit_code=3) == {
        "stdout": "out\n",
        "stderr": "err\n",
        "exitCode": 3,
        "executionTime": 25,
        "timedOut": False,
    }


@pytest.mark.parametrize(("seconds", "shown"), [(0.0, 0), (0.0001, 1), (0.025, 25), (0.02501, 26), (30.0, 30_000)])
def test_a_time_is_rounded_up_to_whole_milliseconds(seconds, shown):
    time = data(wall_seconds=seconds)["executionTime"]
    assert (type(time), time) == (int, shown)


@pytest.mark.parametrize("outcome", Outcome)
def test_only_the_time_limit_is_a_time_out(outcome):
    assert data(outcome=outcome, exit_code=124)["timedOut"] is (outcome is Outcome.TIME_LIMIT)


def test_a_failed_compilation_has_the_compilers_messages_on_stderr():
    changes = {"outcome": Outcome.COMPILE_ERROR, "compile_output": b"main.rs:1: error \xff", "exit_code": 1}
    assert data(**changes, wall_seconds=0.0) == {
        "stdout": "",
        "stderr": "main.rs:1: error \ufffd",
        "exitCode": 1,
        "executionTime": 0,
        "timedOut": False,
    }


def test_a_compilers_warnings_are_no_error_of_the_program():
    assert data(compile_output=b"warning: unused", compile_seconds=0.3)["stderr"] == ""


def test_a_character_split_where_the_sandbox_stopped_keeping_is_left_out():
    split = "ab😀".encode()[:-1]
    cut = data(stdout=split, stdout_truncated=True, stderr=split)
    assert (cut["stdout"], cut["stderr"]) == ("ab", "ab\ufffd")
