"""Whether what a program printed is what was expected: three ways to compare, each over bytes.

    exact     byte for byte
    trimmed   blanks at the ends of lines and empty lines at the end make no difference, CR LF is LF
    numeric   word by word; two numbers are the same when they differ by no more than a tolerance

A tolerance is absolute for numbers up to 1 and relative to the expected number above it, as contests have it.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Final

DEFAULT_TOLERANCE: Final = 1e-6

# What C and most other languages print as a number. Python would also take `1_000`, `infinity` and other digits.
_NUMBER: Final = re.compile(rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
# More digits than a double has, and than a program prints that means one. Longer words are the same or they are not.
_NUMBER_BYTES: Final = 400
_WORD: Final = re.compile(rb"\S+")
_LINE: Final = re.compile(rb"[^\n]*\n|[^\n]+")


class Mode(StrEnum):
    EXACT = "exact"
    TRIMMED = "trimmed"
    NUMERIC = "numeric"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How outputs are compared; `tolerance` counts for `Mode.NUMERIC` alone."""

    mode: Mode = Mode.TRIMMED
    tolerance: float = DEFAULT_TOLERANCE

    def same(self, output: bytes, expected: bytes) -> bool:
        """Reads no further than the first difference, so a long wrong output costs no more than a right one."""
        match self.mode:
            case Mode.EXACT:
                return output == expected
            case Mode.TRIMMED:
                return all(one == other for one, other in zip_longest(_lines(output), _lines(expected), fillvalue=None))
            case Mode.NUMERIC:
                pairs = zip_longest(_words(output), _words(expected), fillvalue=None)
                return all(
                    one is not None and other is not None and (one == other or self._close(one, other))
                    for one, other in pairs
                )

    def _close(self, word: bytes, expected: bytes) -> bool:
        if max(len(word), len(expected)) > _NUMBER_BYTES:
            return False
        if not (_NUMBER.fullmatch(word) and _NUMBER.fullmatch(expected)):
            return False
        value, wanted = float(word), float(expected)
        # Above what a double holds only the same digits are the same number.
        if math.isinf(value) or math.isinf(wanted):
            return False
        return abs(value - wanted) <= self.tolerance * max(1.0, abs(wanted))


def _lines(text: bytes) -> Iterator[bytes]:
    """The lines without the blanks at their ends; empty ones only when another line follows."""
    empty = 0
    for match in _LINE.finditer(text):
        line = match[0].rstrip()
        if not line:
            empty += 1
            continue
        for _ in range(empty):
            yield b""
        empty = 0
        yield line


def _words(text: bytes) -> Iterator[bytes]:
    for match in _WORD.finditer(text):
        yield match[0]
