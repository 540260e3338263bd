"""Sources: the first that can be reached is used, and a near version says that it is one."""

import pytest

from execution import catalogue
from tests.toolchains.conftest import Workshop


@pytest.fixture
def two_sources(workshop: Workshop) -> Workshop:
    """The exact version from an archive that is not here, then a near one that stands in for shout-1."""
    exact = workshop.layer(workshop.archive("1.0.0"), "exact.tar")
    near = workshop.layer(workshop.archive("0.9.9"), "near.tar")
    (workshop.recipe / "recipe.toml").write_text(f'[[source]]\n{exact}\n[[source]]\nstand_in = ["shout-1"]\n{near}')
    (workshop.recipe / "exact.tar").rename(workshop.path / "exact.tar")
    return workshop


def test_a_near_version_stands_in_and_says_so(two_sources: Workshop) -> None:
    assert two_sources.install("shout-1", "whisper-1") == []

    assert two_sources.manifest("shout-1").version == "0.9.9"
    assert two_sources.manifest("shout-1").stand_in is True
    assert two_sources.manifest("whisper-1").stand_in is False


def test_the_exact_version_is_preferred(two_sources: Workshop) -> None:
    (two_sources.path / "exact.tar").rename(two_sources.recipe / "exact.tar")
    two_sources.install("shout-1")

    assert two_sources.manifest().version == "1.0.0"
    assert two_sources.manifest().stand_in is False


def test_without_stand_ins_only_the_exact_version_is_installed(
    two_sources: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCODE_STAND_INS", "false")

    (problem,) = two_sources.install("shout-1")
    assert "exact.tar" in problem
    assert two_sources.store.manifests() == {}
    assert two_sources.install("whisper-1") == []


def test_turning_stand_ins_off_hides_one_that_is_installed(
    two_sources: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("execution.catalogue.COMPILERS", two_sources.catalogue())
    two_sources.install("shout-1", "whisper-1")
    assert set(catalogue.installed(two_sources.home)) == {"shout-1", "whisper-1"}

    monkeypatch.setenv("RUNCODE_STAND_INS", "false")
    assert set(catalogue.installed(two_sources.home)) == {"whisper-1"}


def test_every_source_that_fails_gives_its_reason(two_sources: Workshop) -> None:
    (two_sources.recipe / "near.tar").unlink()

    (problem,) = two_sources.install("shout-1")
    assert "exact.tar is in none of" in problem
    assert "near.tar is in none of" in problem


def test_archives_are_found_in_the_folder_that_the_setting_names(
    two_sources: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCODE_TOOLCHAIN_ARCHIVES", f"/nowhere:{two_sources.path}")
    two_sources.install("shout-1")

    assert two_sources.manifest().version == "1.0.0"


def test_where_only_a_near_version_exists_the_setting_is_named(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.write_recipe(more='stand_in = ["shout-1"]')
    monkeypatch.setenv("RUNCODE_STAND_INS", "off")

    assert workshop.install("shout-1") == ["shout-1: only a near version is to be had, and RUNCODE_STAND_INS is off"]
