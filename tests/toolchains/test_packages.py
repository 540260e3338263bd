"""Packages that the operator adds to compilers in RUNCODE_HOME/toolchains.toml."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from execution.catalogue import COMPILERS
from execution.toolchains.errors import SettingsInvalid
from execution.toolchains.layers import DebianLayer
from execution.toolchains.layers.npm import NpmLayer
from execution.toolchains.layers.pypi import PypiLayer
from execution.toolchains.packages import Packages, load_packages
from execution.toolchains.recipe import load_recipe
from tests.toolchains.conftest import Workshop

TAKES_PYPI = '[source.takes.pypi]\npython = "3.14"\ninto = "/opt/wheels"\n'


def _settings(home: Path, text: str) -> None:
    (home / "toolchains.toml").write_text(text, encoding="utf-8")


def _wheel(folder: Path, version: str) -> None:
    with zipfile.ZipFile(folder / f"loud-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("loud.py", f"VERSION = {version!r}\n")
        wheel.writestr(f"loud-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: loud\nVersion: {version}\n")
        wheel.writestr(f"loud-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"loud-{version}.dist-info/RECORD", "loud.py,,\n")


@pytest.fixture
def wheels(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A workshop whose recipe takes wheels, with two versions of one on offer."""
    workshop.write_recipe(more=TAKES_PYPI)
    for version in ("1.0", "2.0"):
        _wheel(workshop.path, version)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(workshop.path))
    return workshop


def test_without_the_file_nothing_is_added(tmp_path: Path) -> None:
    assert load_packages(tmp_path, COMPILERS) == {}


def test_an_added_package_is_in_the_root_after_the_next_installation(wheels: Workshop) -> None:
    wheels.install("shout-1")
    assert not (wheels.root() / "opt/wheels/loud.py").exists()

    _settings(wheels.home, '["shout-1"]\npypi = ["loud==1.0"]\n')
    assert wheels.install("shout-1") == []
    assert (wheels.root() / "opt/wheels/loud.py").read_text() == "VERSION = '1.0'\n"


def test_a_change_of_the_file_builds_anew_and_no_change_does_not(wheels: Workshop) -> None:
    _settings(wheels.home, '["shout-1"]\npypi = ["loud==1.0"]\n')
    wheels.install("shout-1")
    first = wheels.root()
    wheels.install("shout-1")
    assert wheels.root() == first

    _settings(wheels.home, '["shout-1"]\npypi = ["loud==2.0"]\n')
    wheels.install("shout-1")
    assert (wheels.root() / "opt/wheels/loud.py").read_text() == "VERSION = '2.0'\n"

    (wheels.home / "toolchains.toml").unlink()
    wheels.install("shout-1")
    assert not (wheels.root() / "opt/wheels").exists()


def test_compilers_of_one_recipe_share_what_is_added_to_any_of_them(wheels: Workshop) -> None:
    _settings(wheels.home, '["whisper-1"]\npypi = ["loud==1.0"]\n')
    wheels.install("shout-1", "whisper-1")

    assert wheels.root("shout-1") == wheels.root("whisper-1")
    assert (wheels.root("shout-1") / "opt/wheels/loud.py").is_file()


def test_packages_of_each_kind_become_layers() -> None:
    more = Packages((("debian", ("libpq5",)), ("pypi", ("polars==1.30.0",))))
    (source,) = load_recipe("python-gcc", packages=more).sources
    debian, _, pypi = source.layers  # the one in between is the recipe's own

    assert isinstance(debian, DebianLayer)
    assert debian.packages[-1] == "libpq5"
    assert isinstance(pypi, PypiLayer)
    assert "polars==1.30.0" in pypi.command(Path("/target"), Path("/cache"))
    assert "--no-deps" not in pypi.command(Path("/target"), Path("/cache"))

    npm = load_recipe("javascript", packages=Packages((("npm", ("left-pad@1.3.0",)),))).sources[-1].layers[-1]
    assert isinstance(npm, NpmLayer)
    assert npm.packages == ("left-pad@1.3.0",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not toml at all", "toolchains.toml: "),
        ('["python-3.13"]\npypi = ["a==1"]', 'there is no compiler "python-3.13"'),
        ('"shout-1" = 3', '"shout-1" must be a table'),
        ('["shout-1"]\ngems = ["a"]', "has 'gems'; debian, npm, pypi can be given"),
        ('["shout-1"]\npypi = "loud==1.0"', "pypi must be a list of names"),
        ('["shout-1"]\npypi = [""]', "pypi must be a list of names"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(workshop: Workshop, text: str, reason: str) -> None:
    _settings(workshop.home, text)

    with pytest.raises(SettingsInvalid) as refusal:
        workshop.install("shout-1")
    assert reason in str(refusal.value)
    assert str(workshop.home / "toolchains.toml") in str(refusal.value)
    assert workshop.store.manifests() == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('["shout-1"]\npypi = ["loud"]', "'loud': an exact version is needed, as in polars==1.30.0"),
        ('["shout-1"]\npypi = ["--index-url=x"]', "an exact version is needed"),
        ('["shout-1"]\nnpm = ["left-pad@1.3.0"]', "no source of the recipe mini takes packages of npm"),
        ('["shout-1"]\ndebian = ["dash"]', "no source of the recipe mini takes packages of debian"),
    ],
)
def test_a_package_that_cannot_be_added_fails_its_recipe_alone(wheels: Workshop, text: str, reason: str) -> None:
    _settings(wheels.home, text)

    (problem,) = wheels.install("shout-1")
    assert reason in problem
    assert problem.startswith("shout-1: toolchains.toml: ")


def test_the_command_tells_a_wrong_file_without_a_traceback(tmp_path: Path) -> None:
    _settings(tmp_path, '["python-3.13"]\n')
    answer = subprocess.run(
        ["python3", "-m", "execution.toolchains", "install", "python-3.14"],
        cwd=Path(__file__).parents[2],
        env={"PATH": "/usr/bin:/bin", "RUNCODE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert answer.stdout.startswith("  ! ")
    assert "there is no compiler" in answer.stdout
    assert "Traceback" not in answer.stderr
