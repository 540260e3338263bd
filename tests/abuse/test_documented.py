"""docs/security.md tells of every row, and of none that is not tried."""

import re
from pathlib import Path

from tests.abuse.context_rows import CONTEXT_ROWS, CONTEXTS_APART
from tests.abuse.drivers import HOSTS
from tests.abuse.rows import ELSEWHERE, ROWS

REPOSITORY = Path(__file__).parent.parent.parent
PAGE = (REPOSITORY / "docs/security.md").read_text(encoding="utf-8")
# No archive is taken anywhere, so there is nothing to try.
NOT_TRIED = {33}


def test_the_table_has_every_row_and_no_other() -> None:
    told = [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)]
    assert told == sorted({row.number for row in ROWS} | ELSEWHERE.keys() | NOT_TRIED)


def test_rows_that_are_tried_elsewhere_are() -> None:
    for path in ELSEWHERE.values():
        assert (REPOSITORY / path).is_file(), path


def test_the_rows_that_are_tried_in_contexts_are_named() -> None:
    (named,) = re.findall(r"Rows ([\d, ]+) and (\d+) are tried in the cells of contexts", PAGE)
    told = [int(number) for number in [*named[0].split(", "), named[1]]]
    assert told == sorted({row.number for row in CONTEXT_ROWS} | CONTEXTS_APART)


def test_the_drivers_are_named() -> None:
    (named,) = re.findall(r"It runs on these drivers: (.+?)\.", PAGE)
    assert named.split(", ") == list(HOSTS)
