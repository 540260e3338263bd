"""What counts as the same output, in each of the three ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.comparisons import Comparison, Mode

EXACT, TRIMMED = Comparison(Mode.EXACT), Comparison(Mode.TRIMMED)


def numeric(tolerance: float = 1e-6) -> Comparison:
    return Comparison(Mode.NUMERIC, tolerance)


@given(st.binary(), st.binary())
def test_exact_is_byte_for_byte(one: bytes, other: bytes) -> None:
    assert EXACT.same(one, other) == (one == other)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"1 2\n", b"1 2"),
        (b"1 2  \t\r\n3\r\n", b"1 2\n3\n"),
        (b"1\n\n\n", b"1"),
        (b"", b"\n \n"),
        (b"\n\n1", b"\n\n1\n"),
        (b"1\n\n2", b"1\n \t\n2\n"),
    ],
)
def test_trimmed_passes_over_what_nobody_sees(output: bytes, expected: bytes) -> None:
    assert TRIMMED.same(output, expected)
    assert TRIMMED.same(expected, output)
    assert not EXACT.same(output, expected)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"1", b"2"),
        (b" 1", b"1"),
        (b"1 2", b"1  2"),
        (b"1\n2", b"1\n\n2"),
        (b"\n1", b"1"),
        (b"1\n2", b"1"),
        (b"", b"1"),
    ],
)
def test_trimmed_sees_everything_else(output: bytes, expected: bytes) -> None:
    assert not TRIMMED.same(output, expected)
    assert not TRIMMED.same(expected, output)


@given(st.lists(st.binary().map(lambda line: line.replace(b"\n", b""))))
def test_trimmed_takes_any_text_for_the_same_as_itself_with_other_line_ends(lines: list[bytes]) -> None:
    assert TRIMMED.same(b"\n".join(lines), b" \r\n".join(lines) + b"\n\n")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"3.1415926535", b"3.1415926536"),
        (b"1000000.5", b"1000000"),
        (b"1e3", b"1000.0\n"),
        (b".5", b"0.5"),
        (b"5.", b"5"),
        (b"-0", b"0"),
        (b"x = 1.0000001", b"x  =\n1"),
        (b"nan inf Infinity", b"nan inf Infinity"),
        (b"123456789012345678901234567890", b"123456789012345678901234567890"),
    ],
)
def test_numeric_passes_over_small_differences(output: bytes, expected: bytes) -> None:
    assert numeric().same(output, expected)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"3.14", b"3.15"),
        (b"0.00001", b"0"),
        (b"1 2", b"1"),
        (b"1", b"1 2"),
        (b"", b"0"),
        (b"yes", b"no"),
        (b"1_000", b"1000"),
        (b"0x10", b"16"),
        (b"nan", b"1"),
        (b"1", b"nan"),
        (b"inf", b"1e400"),
        (b"1e400", b"2e400"),
        ("٣".encode(), b"3"),
    ],
)
def test_numeric_sees_everything_else(output: bytes, expected: bytes) -> None:
    assert not numeric().same(output, expected)


def test_the_tolerance_is_absolute_for_small_numbers_and_relative_for_large_ones() -> None:
    assert numeric(0.01).same(b"0.009", b"0")
    assert not numeric(0.01).same(b"0.011", b"0")
    assert numeric(0.01).same(b"1009", b"1000")
    assert not numeric(0.01).same(b"1011", b"1000")


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(min_value=0, max_value=1))
def test_numeric_takes_any_number_for_the_same_as_its_other_spellings(value: float, tolerance: float) -> None:
    assert numeric(tolerance).same(repr(value).encode(), f"{value:.17e}".encode())


def test_a_word_of_a_million_digits_is_compared_at_once() -> None:
    long = b"9" * 1_000_000
    assert numeric().same(long, long)
    assert not numeric().same(long + b"x", long)
