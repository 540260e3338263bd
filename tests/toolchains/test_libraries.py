"""A compiler's libraries: told by the toolchain itself, and where a second recipe has them, installed on request."""

import json
from pathlib import Path

import pytest
from django.test import Client

from execution.catalogue import Manifest
from tests.toolchains.conftest import COMPILERS, Workshop

ASK = 'libraries = ["/bin/sh", "-c", "test -e /opt/libraries && read -r line < /opt/libraries; echo $line"]\n'


def _catalogue(ask: str = ASK) -> str:
    """shout-1 has a second recipe, `full`, and tells its libraries."""
    return COMPILERS.replace('recipe = "mini"\n', f'recipe = "mini"\nrecipe_with_libraries = "full"\n{ask}', 1)


@pytest.fixture
def two_recipes(workshop: Workshop) -> Workshop:
    workshop.write_catalogue(_catalogue())
    full = workshop.path / "recipes" / "full"
    full.mkdir()
    (full / "files" / "opt").mkdir(parents=True)
    (full / "files" / "opt" / "libraries").write_text("loud 1.2\n")
    (full / "mini.tar").write_bytes((workshop.recipe / "mini.tar").read_bytes())
    (full / "recipe.toml").write_bytes((workshop.recipe / "recipe.toml").read_bytes())
    return workshop


def _install(workshop: Workshop, *ids: str, libraries: bool) -> list[str]:
    catalogue = workshop.catalogue()
    return workshop.installer()[0].install([catalogue[id_] for id_ in ids], libraries=libraries)


def test_without_being_asked_the_plain_recipe_is_installed(two_recipes: Workshop) -> None:
    assert _install(two_recipes, "shout-1", libraries=False) == []

    assert two_recipes.root().name.startswith("mini-")
    assert two_recipes.manifest().libraries == ()


def test_with_libraries_the_manifest_says_what_the_toolchain_told(two_recipes: Workshop) -> None:
    assert _install(two_recipes, "shout-1", libraries=True) == []

    assert two_recipes.root().name.startswith("full-")
    assert two_recipes.manifest().libraries == (("loud", "1.2"),)


def test_libraries_replace_the_plain_toolchain_and_its_root(two_recipes: Workshop) -> None:
    _install(two_recipes, "shout-1", libraries=False)
    _install(two_recipes, "shout-1", libraries=True)

    assert [path.name for path in two_recipes.store.roots.iterdir()] == [two_recipes.root().name]


def test_an_update_never_takes_libraries_away(two_recipes: Workshop) -> None:
    _install(two_recipes, "shout-1", libraries=True)
    root = two_recipes.root()

    assert _install(two_recipes, "shout-1", libraries=False) == []
    assert two_recipes.root() == root


def test_a_compiler_with_one_recipe_is_installed_from_it_either_way(two_recipes: Workshop) -> None:
    assert _install(two_recipes, "shout-1", "whisper-1", libraries=True) == []

    assert two_recipes.root("whisper-1").name.startswith("mini-")
    assert two_recipes.root("shout-1").name.startswith("full-")


def test_what_is_no_list_of_libraries_is_refused(two_recipes: Workshop) -> None:
    two_recipes.write_catalogue(_catalogue('libraries = ["/bin/sh", "-c", "echo one two three"]\n'))

    (problem,) = _install(two_recipes, "shout-1", libraries=False)
    assert "'one two three' is not the name and version of a library" in problem


def test_libraries_that_are_asked_for_differently_are_asked_anew_of_the_same_root(two_recipes: Workshop) -> None:
    _install(two_recipes, "shout-1", libraries=False)
    root = two_recipes.root()
    two_recipes.write_catalogue(_catalogue('libraries = ["/bin/sh", "-c", "echo quiet 2; echo Loud 1"]\n'))

    _install(two_recipes, "shout-1", libraries=False)
    assert two_recipes.root() == root
    assert two_recipes.manifest().libraries == (("Loud", "1"), ("quiet", "2"))


def test_a_record_of_before_libraries_serves_compilers_that_have_some_and_that_have_none(two_recipes: Workshop) -> None:
    _install(two_recipes, "shout-1", "whisper-1", libraries=False)
    root = two_recipes.root()
    (record,) = two_recipes.store.records.glob("*.json")
    fields = json.loads(record.read_text())
    del fields["libraries"]
    record.write_text(json.dumps(fields))

    assert _install(two_recipes, "shout-1", "whisper-1", libraries=False) == []
    assert two_recipes.root() == root
    assert two_recipes.manifest("whisper-1").libraries == ()


def test_a_manifest_of_before_libraries_can_be_read(workshop: Workshop) -> None:
    workshop.install("shout-1")
    fields = json.loads(workshop.manifest().to_json())
    del fields["libraries"]

    assert Manifest.from_json(json.dumps(fields)) == workshop.manifest()


@pytest.mark.django_db
def test_the_page_lists_them_as_they_are_installed(
    two_recipes: Workshop, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(two_recipes, "shout-1", libraries=True)
    installed = {"shout-1": two_recipes.manifest()}
    monkeypatch.setattr("execution.pages_docs.COMPILERS", two_recipes.catalogue())
    monkeypatch.setattr("execution.pages_docs.installed", lambda home: installed)

    page = client.get("/docs/languages/").content.decode()
    assert "<code>loud</code> 1.2" in page
    assert Path(two_recipes.root()).name not in page
