import pytest

from execution.models import Run
from execution.models.results import columns_of, result_of
from execution.sandbox.job import Outcome, OutputFile, Result

RESULT = Result(
    outcome=Outcome.RUNTIME_ERROR,
    exit_code=139,
    signal=11,
    stdout=b"\xff\0",
    stderr=b"",
    stdout_truncated=True,
    stderr_truncated=False,
    wall_seconds=0.25,
    total_seconds=1.5,
    cpu_seconds=0.5,
    compile_seconds=1.25,
    compile_output="ö".encode(),
    memory_bytes=2**33,
    files=(OutputFile("a.bin", 5, b"\0\xff"),),
    cached=True,
)


@pytest.mark.django_db
def test_a_result_comes_back_from_the_database(cast):
    run = cast.alice.organisation.runs.create(
        key_id=1, key_kind="api", surface=Run.Surface.SYNC, compiler="gcc-15", **columns_of(RESULT)
    )
    assert result_of(Run.objects.get(pk=run.pk)) == RESULT


def test_a_run_that_was_not_carried_out_has_none():
    assert result_of(Run(refusal_code="run_quota")) is None
