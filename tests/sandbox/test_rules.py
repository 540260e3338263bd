"""The rules of the system-call filter, evaluated as the kernel would evaluate them."""

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.sandbox.native.rules import Comparison, Condition, rules

CONDITIONAL = sorted({rule.call for rule in rules() if rule.conditions})
EDGES = [
    0,
    1,
    2,
    3,
    4,
    5,
    10,
    15,
    16,
    63,
    64,
    1023,
    1026,
    1030,
    1039,
    1040,
    0x4000,
    0x5401,
    0x54FF,
    0x8910,
    0x1000_0011,
]
EDGES += [0xFFFF, 0x10000, 0x4004_9409, 0xFFFF_FFFF]
HIGH_BIT = 1 << 32


def holds(condition: Condition, arguments: list[int]) -> bool:
    value = arguments[condition.argument]
    match condition.comparison:
        case Comparison.EQ:
            return value == condition.first
        case Comparison.GT:
            return value > condition.first
        case Comparison.MASKED_EQ:
            return value & condition.first == condition.second


def answers(call: str, *arguments: int) -> set[int | None]:
    """What the rules of `call` say: None is allowed, a number an error; empty where none speaks of it."""
    given_arguments = [*arguments, 0, 0, 0, 0, 0, 0]
    return {
        rule.error
        for rule in rules()
        if rule.call == call and all(holds(condition, given_arguments) for condition in rule.conditions)
    }


@given(
    st.sampled_from(CONDITIONAL), st.lists(st.sampled_from(EDGES) | st.integers(0, 2**64 - 1), min_size=6, max_size=6)
)
def test_no_two_rules_answer_differently(call: str, arguments: list[int]) -> None:
    assert len(answers(call, *arguments)) <= 1


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("fcntl", (0, 4, 0x800), {None}),
        ("fcntl", (0, 4, 0x4000), {errno.EINVAL}),
        ("fcntl", (0, 1030, 3), {None}),
        ("fcntl", (0, 1026, 1), {errno.EINVAL}),
        ("openat", (0, 0, 0x4000), {errno.EINVAL}),
        ("openat", (0, 0, 0), {None}),
        ("ioctl", (0, 0x5401), {None}),
        ("ioctl", (0, 0x4004_9409), {errno.ENOTTY}),
        ("ioctl", (0, 0xB701), set()),
        ("prlimit64", (0, 7, 1), {None}),
        ("prlimit64", (0, 4, 1), set()),
        ("prlimit64", (1, 7, 1), set()),
        ("prlimit64", (1, 4, 0), {None}),
        ("setrlimit", (4,), set()),
        ("setrlimit", (3,), {None}),
        ("fadvise64", (0, 0, 0, 4), {0}),
        ("sync", (), {0}),
        ("clone", (0x10000000,), {errno.EPERM}),
        ("clone", (0x11,), {None}),
        ("socket", (16, 3, 0), set()),
        ("inotify_add_watch", (0, 0, 0), set()),
    ],
)
def test_what_a_call_is_answered(call: str, arguments: tuple[int, ...], expected: set[int | None]) -> None:
    assert answers(call, *arguments) == expected


@pytest.mark.parametrize(
    ("call", "position", "refused"), [("fcntl", 1, 1026), ("setrlimit", 0, 4), ("prlimit64", 1, 4)]
)
def test_bits_that_the_kernel_cuts_off_open_nothing(call: str, position: int, refused: int) -> None:
    arguments = [0, 0, 1, 0, 0, 0]
    arguments[position] = HIGH_BIT | refused
    assert None not in answers(call, *arguments)
