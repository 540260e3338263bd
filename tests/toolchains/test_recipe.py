"""Recipe folders: what they may say, and when one counts as changed."""

from pathlib import Path

import pytest

from execution.catalogue import TOOLCHAINS
from execution.toolchains.errors import RecipeInvalid
from execution.toolchains.layers import LAYERS
from execution.toolchains.recipe import RECIPES, load_recipe

DEBIAN = '[[source.layer]]\nkind = "debian"\nsuites = ["sid"]\npackages = ["dash"]\n'


def _write(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "some"
    folder.mkdir(exist_ok=True)
    (folder / "recipe.toml").write_text(text)
    return tmp_path


def test_every_recipe_of_the_catalogue_can_be_read() -> None:
    named = {c.recipe for c in TOOLCHAINS.values()} | {c.recipe_with_libraries for c in TOOLCHAINS.values()}

    assert named == {path.name for path in RECIPES.iterdir()}
    for name in named:
        assert load_recipe(name).sources


def test_the_first_python_has_the_shell_of_contexts_as_the_one_with_libraries_has_it() -> None:
    few, many = ((RECIPES / name / "requirements.txt").read_text() for name in ("python-gcc", "python-gcc-libraries"))
    pinned = few.partition("\n")[2]
    assert "\nipython==" in pinned
    assert set(pinned.splitlines()) <= set(many.splitlines())


def test_a_source_may_have_several_layers(tmp_path: Path) -> None:
    text = '[[source]]\nstand_in = ["x-1"]\n' + DEBIAN
    text += '[[source.layer]]\nkind = "npm"\npackages = ["deno@2.6.0"]\n'
    (source,) = load_recipe("some", _write(tmp_path, text)).sources

    assert source.name == "Debian sid + npm deno@2.6.0"
    assert source.stand_in == {"x-1"}


def test_every_kind_of_layer_can_be_named(tmp_path: Path) -> None:
    recipes = _write(
        tmp_path,
        "[[source]]\n"
        + DEBIAN
        + '[[source.layer]]\nkind = "docker"\nimage = "ruby:4.0"\n'
        + '[[source.layer]]\nkind = "npm"\npackages = ["@scope/tool@1.2.3"]\n'
        + '[[source.layer]]\nkind = "archive"\nfile = "x.tar.xz"\nsha256 = "00"\ninto = "/opt"\nstrip = 1\n'
        + '[[source.layer]]\nkind = "pypi"\nrequirements = "wheels.txt"\npython = "3.14"\ninto = "/opt/lib"\n',
    )
    (tmp_path / "some" / "wheels.txt").write_text("")
    (source,) = load_recipe("some", recipes).sources

    assert {layer.kind for layer in source.layers} == set(LAYERS)


def test_the_digest_changes_with_everything_in_the_folder(tmp_path: Path) -> None:
    recipes = _write(tmp_path, "[[source]]\n" + DEBIAN)
    files = recipes / "some" / "files"
    files.mkdir()
    seen = {load_recipe("some", recipes).digest}
    changes = [
        lambda: (files / "script").write_text("echo"),
        lambda: (files / "script").write_text("echo 1"),
        lambda: (files / "script").chmod(0o755),
        lambda: (files / "link").symlink_to("script"),
        lambda: ((files / "link").unlink(), (files / "link").symlink_to("other")),
        lambda: (files / "script").rename(files / "renamed"),
        lambda: _write(tmp_path, '[[source]]\nremove = ["x"]\n' + DEBIAN),
    ]
    for change in changes:
        change()
        digest = load_recipe("some", recipes).digest
        assert digest not in seen
        seen.add(digest)


def test_the_digest_is_the_same_in_another_clone(tmp_path: Path) -> None:
    for clone in ("a", "b"):
        (tmp_path / clone).mkdir()
        _write(tmp_path / clone, "[[source]]\n" + DEBIAN)

    assert load_recipe("some", tmp_path / "a").digest == load_recipe("some", tmp_path / "b").digest


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not toml at all", "recipe.toml: "),
        ("", "names no source"),
        ("[[source]]\n", "a source without a layer"),
        ("[[source]]\nwrong = 1\n" + DEBIAN, "unknown in a source: wrong"),
        ('[[source]]\n[[source.layer]]\nkind = "floppy"\n', "layer kind 'floppy'"),
        ('[[source]]\n[[source.layer]]\nkind = "docker"\n', "missing ['image']"),
        ('[[source]]\n[[source.layer]]\nkind = "docker"\nimage = 3\n', "image must be of type str"),
        ('[[source]]\n[[source.layer]]\nkind = "npm"\npackages = ["deno"]\n', "exact version"),
        ('[[source]]\n[[source.layer]]\nkind = "npm"\npackages = ["deno@^2"]\n', "exact version"),
    ],
)
def test_a_wrong_recipe_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(RecipeInvalid) as refusal:
        load_recipe("some", _write(tmp_path, text))
    assert reason in str(refusal.value)


def test_a_missing_recipe_names_the_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(RecipeInvalid, match=r"there is no recipe 'none': .*none/recipe\.toml does not exist"):
        load_recipe("none", tmp_path)
