"""docs/api.md says what the code does: every field, every cap."""

import re
from pathlib import Path

import pytest

from config.hot_path import BODY_LIMIT
from execution import requests
from execution.requests import RunRequestSerializer
from execution.results import answer_of
from execution.sandbox import artifacts
from execution.sandbox.job import MIB
from tests.execution.test_compilers import FIELDS
from tests.execution.test_results import result

REFERENCE = (Path(__file__).parent.parent.parent / "docs" / "api.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """The text below a heading, up to the next of its level or above."""
    level = heading.split()[0]
    _, _, rest = REFERENCE.partition(f"\n{heading}\n")
    assert rest, heading
    return re.split(rf"\n#{{2,{len(level)}}} ", rest)[0]


def fields_in(text: str) -> set[str]:
    """The names in the first column of its tables."""
    return set(re.findall(r"^\| `([a-z0-9_]+)` \|", text, re.MULTILINE))


def test_every_field_of_a_request_is_described_and_no_other():
    assert fields_in(section("### Request")) == set(RunRequestSerializer().fields)


def test_every_field_of_an_answer_is_described_and_no_other():
    plain = set(answer_of(result(), extended=False, with_files=False))
    extended = set(answer_of(result(), extended=True, with_files=True))
    assert fields_in(section("### Answer")) == plain
    assert fields_in(section("### Extended fields")) == extended - plain


def test_every_field_of_a_compiler_is_shown():
    shown = section("## List the compilers")
    assert all(f'"{field}":' in shown for field in FIELDS)


@pytest.mark.parametrize(
    ("field", "caps"),
    [
        ("code", [f"{requests.CODE_BYTES // 1024} KB"]),
        ("input", [f"{requests.INPUT_BYTES // 1024} KB"]),
        ("files", [f"up to {requests.FILES} ", f"{requests.FILES_BYTES // MIB} MB together"]),
        ("args", [f"up to {requests.ARGS} ", f"{requests.ARGS_BYTES // 1024} KB together"]),
        ("env", [f"up to {requests.ENV} ", f"{requests.ENV_BYTES // 1024} KB together"]),
        ("memory_limit", ["{}–{}".format(*requests.MEMORY_MB)]),
        ("output_files", [f"up to {requests.OUTPUT_FILES} "]),
    ],
)
def test_the_cap_of_a_field_is_the_one_in_force(field, caps):
    (row,) = re.findall(rf"^\| `{field}` \|.*$", section("### Request"), re.MULTILINE)
    assert all(cap in row for cap in caps)


def test_the_caps_of_bodies_and_output_files_are_those_in_force():
    text = section("### Request")
    assert f"The whole body may have {BODY_LIMIT // MIB} MB" in text
    assert f"At most {artifacts.MOST_FILES} files, with {artifacts.MOST_BYTES // MIB} MB" in text
