"""docs/runs.md says what the code does: every field, every parameter, every word."""

import json
import re
from pathlib import Path

from execution.history_answers import detailed, listed
from execution.history_filters import MOST, OUTCOMES, PAGE, Filters
from execution.history_views import MOST_WAIT_SECONDS
from execution.models import Run
from tests.execution.test_reference import DOCS, fields_in, section

PAGE_TEXT = Path(DOCS / "runs.md").read_text(encoding="utf-8")
LIST = section("## List runs", PAGE_TEXT)


def row(name: str) -> str:
    (found,) = re.findall(rf"^\| .*`{name}`.* \| (.*) \|$", LIST, re.MULTILINE)
    return str(found)


def test_the_list_that_is_shown_has_the_fields_of_the_real_one() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", LIST, re.DOTALL)
    (run,) = json.loads(shown)["results"]
    assert list(run) == list(listed(Run(pk=1, key_id=1)))


def test_every_field_of_a_run_is_described() -> None:
    further = set(detailed(Run(pk=1, key_id=1), extended=False)) - set(listed(Run(pk=1, key_id=1)))
    assert fields_in(section("## Look at a run", PAGE_TEXT)) == further


def test_every_parameter_is_described_with_its_words() -> None:
    named = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", LIST, re.MULTILINE))))
    fields = set(Filters.__dataclass_fields__) - {"since", "until"} | {"from", "to"}
    assert named == fields
    for name, words in (("status", Run.Status.values), ("outcome", OUTCOMES), ("surface", Run.Surface.values)):
        assert set(re.findall(r"`(\w+)`", row(name))) == set(words)
    assert row("limit") == f"runs in a page, 1 to {MOST}; {PAGE} when left out"
    assert f"up to {MOST_WAIT_SECONDS:.0f} seconds" in section("## Look at a run", PAGE_TEXT)
