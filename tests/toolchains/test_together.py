"""Several recipes at once: each has its own fate, and an interruption ends all."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from execution.toolchains import together
from execution.toolchains.errors import InstallFailed
from tests.toolchains.conftest import COMPILERS, Workshop

REPOSITORY = Path(__file__).parents[2]

INTERRUPTED = """
import sys
sys.path.insert(0, {repository!r})
from pathlib import Path
from execution.toolchains import command, together

def sleep(log):
    command.follow(["sh", "-c", "echo started >> %s.started; sleep 600" % log], lambda line: None, log=log)

together.each({{name: lambda name=name: sleep(Path({folder!r}) / name) for name in ("a", "b", "c", "d")}})
"""


def fail(error: Exception) -> None:
    raise error


def test_one_failure_leaves_the_others_alone() -> None:
    done: list[str] = []
    error = InstallFailed("no")

    assert together.each({"a": lambda: done.append("a"), "b": lambda: fail(error), "c": lambda: done.append("c")}) == {
        "b": error
    }
    assert sorted(done) == ["a", "c"]


def test_a_fault_of_ours_is_no_failure_of_a_recipe() -> None:
    with pytest.raises(ZeroDivisionError):
        together.each({"a": lambda: fail(InstallFailed("no")), "b": lambda: fail(ZeroDivisionError())})


def test_an_interruption_ends_the_programs_of_every_thread(tmp_path: Path) -> None:
    program = INTERRUPTED.format(repository=str(REPOSITORY), folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not list(tmp_path.glob("*.started")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)

    assert process.wait(20) != 0
    words = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [line for line in words if str(tmp_path).encode() in line]


@pytest.fixture
def two_recipes(workshop: Workshop) -> Workshop:
    """shout-1 from the recipe `mini`; whisper-1 from `other`, which is optional and whose archive is missing."""
    first, second = COMPILERS.split('id = "whisper-1"')
    workshop.write_catalogue(first + 'id = "whisper-1"' + second.replace('recipe = "mini"', 'recipe = "other"', 1))
    other = workshop.path / "recipes" / "other"
    other.mkdir()
    layer = '[[source.layer]]\nkind = "archive"\nfile = "absent.tar"\nsha256 = "00"\n'
    (other / "recipe.toml").write_text(f"optional = true\n[[source]]\n{layer}")
    return workshop


def test_an_optional_recipe_without_a_source_is_left_out_with_the_remedy(two_recipes: Workshop) -> None:
    installer, out = two_recipes.installer()
    catalogue = two_recipes.catalogue()
    compilers = [catalogue["shout-1"], catalogue["whisper-1"]]

    assert installer.install(compilers, leave_out_optional=True) == []
    assert set(two_recipes.store.manifests()) == {"shout-1"}
    assert "whisper-1 left out: no source of the recipe other can be used here" in out.getvalue()
    assert "RUNCODE_TOOLCHAIN_ARCHIVES" in out.getvalue()


def test_asked_for_by_name_it_fails_and_the_other_is_installed_all_the_same(two_recipes: Workshop) -> None:
    (problem,) = two_recipes.install("whisper-1", "shout-1")

    assert problem.startswith("whisper-1: no source of the recipe other can be used here")
    assert set(two_recipes.store.manifests()) == {"shout-1"}


def test_an_optional_recipe_that_breaks_is_a_failure(two_recipes: Workshop) -> None:
    (two_recipes.path / "recipes" / "other" / "absent.tar").write_bytes(b"not what is meant")
    catalogue = two_recipes.catalogue()

    (problem,) = two_recipes.installer()[0].install([catalogue["whisper-1"]], leave_out_optional=True)
    assert "SHA-256" in problem
