"""docs/api.md and docs/execute.md say what the code does: every field, every cap."""

import re
from pathlib import Path

import pytest

from config.hot_path import BODY_LIMIT
from execution import program_fields, requests, v1_requests
from execution.catalogue import COMPILERS
from execution.requests import RunRequestSerializer
from execution.results import answer_of
from execution.sandbox import artifacts
from execution.sandbox.job import MIB
from execution.v1_results import v1_answer_of
from tests.execution.test_compilers import FIELDS
from tests.execution.test_results import result

DOCS = Path(__file__).parent.parent.parent / "docs"
REFERENCE = (DOCS / "api.md").read_text(encoding="utf-8")
EXECUTE = (DOCS / "execute.md").read_text(encoding="utf-8")


def section(heading: str, page: str = REFERENCE) -> str:
    """The text below a heading of a page, up to the next of its level or above."""
    level = heading.split()[0]
    _, _, rest = page.partition(f"\n{heading}\n")
    assert rest, heading
    return re.split(rf"\n#{{2,{len(level)}}} ", rest)[0]


def fields_in(text: str) -> set[str]:
    """The names in the first column of its tables."""
    return set(re.findall(r"^\| `([A-Za-z0-9_]+)` \|", text, re.MULTILINE))


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


PROGRAM_CAPS = [
    ("code", [f"{program_fields.CODE_BYTES // 1024} KB"]),
    ("files", [f"up to {program_fields.FILES}", f"{program_fields.FILES_BYTES // MIB} MB together"]),
    ("env", [f"up to {program_fields.ENV} ", f"{program_fields.ENV_BYTES // 1024} KB together"]),
]


def check_caps(request: str, field: str, caps: list[str]) -> None:
    (row,) = re.findall(rf"^\| `{field}` \|.*$", request, re.MULTILINE)
    assert all(cap in row for cap in caps)


@pytest.mark.parametrize(
    ("field", "caps"),
    [
        *PROGRAM_CAPS,
        ("input", [f"{program_fields.INPUT_BYTES // 1024} KB"]),
        ("args", [f"up to {program_fields.ARGS} ", f"{program_fields.ARGS_BYTES // 1024} KB together"]),
        ("memory_limit", ["{}–{}".format(*requests.MEMORY_MB)]),
        ("output_files", [f"up to {requests.OUTPUT_FILES} "]),
    ],
)
def test_the_cap_of_a_field_is_the_one_in_force(field, caps):
    check_caps(section("### Request"), field, caps)


@pytest.mark.parametrize(
    ("field", "caps"),
    [
        *PROGRAM_CAPS,
        ("stdin", [f"{program_fields.INPUT_BYTES // 1024} KB"]),
        ("timeout", [f"{v1_requests.TIMEOUT_SECONDS * 1000:.0f} when left out"]),
    ],
)
def test_the_cap_of_a_field_of_the_execute_api_is_the_one_in_force(field, caps):
    check_caps(section("## Request", EXECUTE), field, caps)


def test_every_field_of_the_execute_api_is_described_and_no_other():
    fields = section("## Request", EXECUTE).partition("### Runtimes")[0]
    assert fields_in(fields) == set(v1_requests.V1ExecuteSerializer().fields)
    assert fields_in(section("## Answer", EXECUTE)) == set(v1_answer_of(result())["data"])


def test_every_runtime_is_listed_with_its_compiler_and_file():
    rows = re.findall(r"^\| `(\w+)` \| `(.+?)` \| `(.+?)` \|$", section("### Runtimes", EXECUTE), re.MULTILINE)
    assert rows == [(name, id_, COMPILERS[id_].file_name) for name, id_ in v1_requests.RUNTIMES.items()]


def test_the_caps_of_bodies_and_output_files_are_those_in_force():
    text = section("### Request")
    assert f"The whole body may have {BODY_LIMIT // MIB} MB" in text
    assert f"At most {artifacts.MOST_FILES} files, with {artifacts.MOST_BYTES // MIB} MB" in text
