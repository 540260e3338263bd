"""The body of POST /api/run-code-batch/: what is taken, and how a refusal names the field."""

from typing import Any

import pytest

from config.errors import InvalidRequest
from execution.batch_requests import TESTS, BatchRequest
from execution.comparisons import Comparison, Mode

PROGRAM = {"compiler": "python-3.14", "code": "print(input())"}


def parse(**fields: Any) -> BatchRequest:
    return BatchRequest.from_data({**PROGRAM, "tests": [{"input": "1"}], **fields})


def refused(**fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as raised:
        parse(**fields)
    return {error.field: error.error for error in raised.value.errors}


def test_the_smallest_batch_has_the_defaults() -> None:
    batch = parse()
    assert batch.comparison == Comparison(Mode.TRIMMED)
    assert (batch.checker, batch.stop_on_failure, batch.asynchronous, batch.callback) == (None, False, False, False)
    (case,) = batch.cases
    assert (case.input, case.expected, case.args) == (b"1", None, None)


def test_a_case_has_the_programs_limits_and_arguments_unless_it_has_its_own() -> None:
    tests = [{"input": "a"}, {"input": "b", "args": [], "time_limit": 1, "memory_limit": 32}]
    batch = parse(tests=tests, args=["x"], time_limit=5, memory_limit=64, env={"A": "b"})
    first, second = (batch.request_of(case) for case in batch.cases)
    assert (first.input, first.args, first.time_limit, first.memory_limit) == (b"a", ("x",), 5.0, 64)
    assert (second.input, second.args, second.time_limit, second.memory_limit) == (b"b", (), 1.0, 32)
    assert first.files == second.files == {"main.py": b"print(input())"}
    assert first.env == second.env == {"A": "b"}


def test_null_stands_for_what_is_left_out_and_empty_expected_is_an_expectation() -> None:
    batch = parse(tests=[{"expected": None, "input": None}, {"expected": ""}], checker=None, compare=None)
    assert [case.expected for case in batch.cases] == [None, b""]


def test_numbers_are_compared_within_the_tolerance_that_is_asked_for() -> None:
    assert parse(compare="numeric", tolerance=0).comparison == Comparison(Mode.NUMERIC, 0.0)
    assert parse(compare="numeric").comparison.tolerance == 1e-6


def test_a_checker_is_a_program_of_any_language() -> None:
    checker = parse(checker={"compiler": "g++-15", "code": "int main() {}", "time_limit": 2}).checker
    assert checker is not None
    assert (checker.compiler.id, checker.files, checker.time_limit) == ("g++-15", {"main.cpp": b"int main() {}"}, 2.0)


@pytest.mark.parametrize(
    ("fields", "field", "error"),
    [
        ({"tests": None}, "tests", "null"),
        ({"tests": {}}, "tests", "array of objects"),
        ({"tests": []}, "tests", "from 1 to 1,000"),
        ({"tests": [{}] * (TESTS + 1)}, "tests", "Has 1,001 items"),
        ({"tests": [{}, "1"]}, "tests.1", "object"),
        ({"tests": [{}, {}, {}, {"input": 1}]}, "tests.3.input", "string"),
        ({"tests": [{"input": "x" * 102_401}]}, "tests.0.input", "102,400"),
        ({"tests": [{"expected": "x" * 1_048_577}]}, "tests.0.expected", "1,048,576"),
        ({"tests": [{"args": ["a\0"]}]}, "tests.0.args.0", "NUL"),
        ({"tests": [{"args": ["a" * 32_769]}]}, "tests.0.args", "32,768"),
        ({"tests": [{"time_limit": 0}]}, "tests.0.time_limit", "above zero"),
        ({"tests": [{"memory_limit": 8}]}, "tests.0.memory_limit", "16"),
        ({"compare": "fuzzy"}, "compare", "exact, trimmed, numeric"),
        ({"compare": "numeric", "tolerance": -1}, "tolerance", "from 0 to 1"),
        ({"tolerance": 0.5}, "tolerance", "numeric"),
        ({"checker": "print(1)"}, "checker", "object"),
        ({"checker": {"code": ""}}, "checker.compiler", "required"),
        ({"checker": {"compiler": "cobol", "code": ""}}, "checker.compiler", "cobol"),
        ({"checker": PROGRAM, "compare": "exact"}, "compare", "not both"),
        ({"stop_on_failure": 1}, "stop_on_failure", "true or false"),
        ({"async": "yes"}, "async", "true or false"),
        ({"callback": True}, "callback", "async"),
        ({"compiler": "cobol"}, "compiler", "cobol"),
        ({"files": {"../x": ""}}, "files.../x", ""),
    ],
)
def test_it_names_the_field_that_is_wrong(fields: dict[str, Any], field: str, error: str) -> None:
    errors = refused(**fields)
    assert list(errors) == [field]
    assert error in errors[field]


def test_all_that_is_wrong_is_told_at_once() -> None:
    errors = refused(code=1, tests=[{"input": 1}, {}, {"time_limit": "1", "args": "x"}])
    assert set(errors) == {"code", "tests.0.input", "tests.2.time_limit", "tests.2.args"}
