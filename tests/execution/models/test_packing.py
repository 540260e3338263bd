import pytest

from execution.models import Run
from execution.models.packing import pack, unpack

VALUE = {"b": ["nul \0, half a pair \ud800, 😀", 1.5, 10**30, None, True], "a": {"": {}}}


def test_a_value_comes_back_with_all_its_characters_and_its_order():
    assert unpack(pack(VALUE)) == VALUE
    assert list(unpack(pack(VALUE))) == ["b", "a"]


def test_nothing_stays_nothing():
    assert unpack(None) is None


@pytest.mark.django_db
def test_the_database_keeps_it(cast):
    run = cast.alice.organisation.runs.create(
        key_id=1, key_kind="api", surface=Run.Surface.ASYNC, compiler="gcc-15", request=pack(VALUE), stdout=b"\xff\0"
    )
    run.refresh_from_db()
    assert (run.request_data, run.extra_params_data, bytes(run.stdout)) == (VALUE, None, b"\xff\0")
