"""Removing compilers: the root goes with the last that needs it."""

import pytest

from execution import catalogue
from tests.toolchains.conftest import Workshop


def _remove(workshop: Workshop, *ids: str) -> list[str]:
    return workshop.installer()[0].remove([workshop.catalogue()[id_] for id_ in ids])


def test_a_root_stays_while_another_compiler_needs_it(workshop: Workshop) -> None:
    workshop.install("shout-1", "whisper-1")

    assert _remove(workshop, "shout-1") == []
    assert set(workshop.store.manifests()) == {"whisper-1"}
    assert workshop.root("whisper-1").is_dir()


def test_the_root_goes_with_the_last_one(workshop: Workshop) -> None:
    workshop.install("shout-1", "whisper-1")

    assert _remove(workshop, "shout-1", "whisper-1") == []
    assert workshop.store.manifests() == {}
    assert list(workshop.store.roots.iterdir()) == []
    assert list(workshop.store.records.iterdir()) == []


def test_what_was_not_installed_is_told(workshop: Workshop) -> None:
    assert _remove(workshop, "shout-1") == ["shout-1"]


def test_a_removed_compiler_is_unavailable_at_once(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("execution.catalogue.COMPILERS", workshop.catalogue())
    workshop.install("shout-1")
    assert "shout-1" in catalogue.installed(workshop.home)

    _remove(workshop, "shout-1")
    assert catalogue.installed(workshop.home) == {}
