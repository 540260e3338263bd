"""Writing behind the answers: what becomes a row, what does not, and what an outage costs."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection

from accounts.caller import Caller
from accounts.models import Organisation
from execution import history
from execution.history import Ended, History
from execution.models import Run
from execution.models.results import result_of
from execution.requests import RunRequest
from execution.sandbox.job import OutputFile
from tests.cast import Cast, Person
from tests.history.conftest import request, result
from tests.server import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

STARTED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ended(person: Person, **fields: object) -> Ended:
    caller = Caller(person.organisation.pk, person.api_key_row.pk, "api")
    values = {"request": request(), "result": result(), **fields}
    return Ended(uuid4(), caller, "sync", started_at=STARTED, **values)  # type: ignore[arg-type]


def test_a_run_becomes_a_row_by_itself(cast: Cast, kept: History) -> None:
    asked = request("print(input())", input="é\0", args=["-x"], files={"data.txt": "1"}, time_limit=2)
    came = result(stdout=b"\xff\0", files=(OutputFile("a", 1, b"x"),))
    one = ended(cast.alice, request=asked, result=came)
    kept.record(one)
    wait_until(Run.objects.exists, lambda: "no row was written")
    run = Run.objects.get()
    assert (run.uuid, run.surface, run.status, run.compiler) == (one.run_id, "sync", "finished", "python-3.14")
    assert (run.organisation, run.key_id, run.key_kind) == (cast.alice.organisation, cast.alice.api_key_row.pk, "api")
    assert (run.created_at, run.finished_at) == (STARTED, one.finished_at)
    assert RunRequest.from_data(run.request_data or {}) == asked
    assert result_of(run) == came


@pytest.mark.parametrize(("sources", "outputs"), [(False, True), (True, False), (False, False)])
def test_what_an_organisation_does_not_keep_is_not_stored(
    cast: Cast, kept: History, sources: bool, outputs: bool
) -> None:
    Organisation.objects.filter(pk=cast.alice.organisation.pk).update(keep_sources=sources, keep_outputs=outputs)
    came = result(stdout=b"out", stderr=b"err", compile_output=b"warn", files=(OutputFile("a", 1, b"x"),))
    kept.record(ended(cast.alice, result=came))
    kept.record(ended(cast.charlie, result=came))
    kept.stop()
    run = cast.alice.organisation.runs.get()
    assert (run.request is not None) == sources
    stored = [run.stdout, run.stderr, run.compile_output, run.files]
    assert [value is not None for value in stored] == [outputs] * 4
    assert (run.outcome, run.exit_code, run.wall_seconds) == ("success", 0, 0.25)
    other = cast.charlie.organisation.runs.get()
    assert None not in (other.request, other.stdout, other.files)


def test_runs_of_a_deleted_organisation_hold_up_no_others(cast: Cast, kept: History) -> None:
    gone = ended(cast.charlie)
    cast.charlie.organisation.delete()
    for one in (ended(cast.alice), gone, ended(cast.alice)):
        kept.record(one)
    kept.stop()
    assert list(Run.objects.values_list("organisation", flat=True)) == [cast.alice.organisation.pk] * 2


def test_a_run_that_is_a_row_already_stays_as_it_is(cast: Cast, kept: History) -> None:
    one = ended(cast.alice)
    kept.record(one)
    kept.record(one)
    kept.stop()
    assert Run.objects.count() == 1


def test_it_outlasts_a_database_that_is_away(cast: Cast, kept: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FLUSH_SECONDS", 0.01)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE execution_run RENAME TO execution_run_away")
    try:
        kept.record(ended(cast.alice))
        with pytest.raises(history.DatabaseError):
            kept.flush()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE execution_run_away RENAME TO execution_run")
    wait_until(Run.objects.exists, lambda: "it was not written once the table was back")


def test_more_than_fits_into_memory_is_left_out(cast: Cast, kept: History, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = ended(cast.alice), ended(cast.alice, result=result(stdout=bytes(100_000)))
    monkeypatch.setattr(history, "FLUSH_SECONDS", 3600.0)
    monkeypatch.setattr(history, "MOST_BYTES", small.size + large.size)
    for one in (small, large, large, small):
        kept.record(one)
    kept.stop()
    assert set(Run.objects.values_list("uuid", flat=True)) == {small.run_id, large.run_id}


def test_nothing_is_taken_where_nobody_writes(cast: Cast) -> None:
    idle = History()
    idle.record(ended(cast.alice))
    idle.flush()
    assert not Run.objects.exists()
