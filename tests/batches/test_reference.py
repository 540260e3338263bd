"""docs/batch.md says what the code does: every field, every cap, every verdict."""

import json
import re

from execution.batch_requests import CHECKED_FILES, EXPECTED_BYTES, TESTS, BatchRequestSerializer, TestSerializer
from execution.batches import answers
from execution.batches.cases import MOST_AT_ONCE
from execution.batches.judging import Judged
from execution.batches.views import MOST_WAITING
from execution.comparisons import DEFAULT_TOLERANCE, Mode
from execution.models import Batch
from execution.program_fields import INPUT_BYTES
from execution.requests import ProgramSerializer
from execution.sandbox.job import MIB
from execution.verdicts import Verdict
from tests.execution.test_reference import DOCS, fields_in, section
from tests.execution.test_results import result

TEXT = (DOCS / "batch.md").read_text(encoding="utf-8")
REQUEST = section("## Request", TEXT)
ANSWER = section("## Answer", TEXT)


def test_every_field_of_a_request_is_described_and_no_other() -> None:
    of_batch, of_test = REQUEST.split("Each test:")
    assert fields_in(of_batch) == set(BatchRequestSerializer().fields) - set(ProgramSerializer().fields) - {"args"}
    assert fields_in(of_test) == set(TestSerializer().fields)
    named = set(re.findall(r"`(\w+)`", of_batch.split("| field |")[0]))
    assert named == {*ProgramSerializer().fields, "args"}


def test_the_caps_are_those_in_force() -> None:
    assert f"array of 1 to {TESTS:,} objects" in REQUEST
    assert f"standard input, at most {INPUT_BYTES // 1024} KB" in REQUEST
    assert f"at most {EXPECTED_BYTES // MIB} MB" in REQUEST
    assert f"{DEFAULT_TOLERANCE:.6f} when left out" in REQUEST
    assert f"Up to {MOST_WAITING} batches" in TEXT
    assert f"{MOST_AT_ONCE} at most" in TEXT


def test_every_way_to_compare_and_every_verdict_is_described() -> None:
    assert fields_in(section("## Comparing", TEXT)) - {"compare"} == {mode.value for mode in Mode}
    assert fields_in(ANSWER) >= {verdict.value for verdict in Verdict}
    places = [TEXT.index(f"`{name}`") for name in CHECKED_FILES]
    assert places == sorted(places)


def test_the_answer_that_is_shown_has_the_fields_of_the_real_one() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", ANSWER, re.DOTALL)
    batch = json.loads(shown)
    batch_row = Batch(pk=1, tests=1)
    judged = Judged(0, batch_row.uuid, result(), Verdict.ACCEPTED, None, batch_row.created_at)
    (test,) = batch.pop("results")
    assert list(batch) == list(answers.summary(batch_row))
    assert list(test) == list(answers.test_of(judged))
