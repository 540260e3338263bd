"""`toolchains` as a command: what it prints and how it exits."""

import io
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest
from django.conf import settings

from execution.toolchains import cli
from execution.toolchains.progress import Progress
from tests.toolchains.conftest import Workshop

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def toolchains(workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    """Runs a command line over the workshop's catalogue: (exit code, output)."""
    monkeypatch.setattr("execution.catalogue.COMPILERS", workshop.catalogue())
    monkeypatch.setattr(cli, "TOOLCHAINS", workshop.catalogue())
    monkeypatch.setattr("execution.toolchains.install.TOOLCHAINS", workshop.catalogue())
    monkeypatch.setattr("execution.toolchains.install.RECIPES", workshop.path / "recipes")

    def run(*words: str) -> tuple[int, str]:
        parser = ArgumentParser()
        cli.add_arguments(parser)
        out = io.StringIO()
        return cli.run(parser.parse_args(words), workshop.home, out), out.getvalue()

    return run


def test_list_tells_what_is_installed_and_what_is_not(toolchains) -> None:
    toolchains("install", "shout-1")
    code, said = toolchains("list")

    assert code == 0
    assert [line.split(None, 3)[-1] for line in said.splitlines()] == [
        "1.2.3",
        "not installed",
        "no recipe in this version",
    ]


def test_install_shows_its_progress_and_the_version_in_the_end(toolchains) -> None:
    code, said = toolchains("install", "shout-1")

    assert code == 0
    assert "mini: unpacking" in said
    assert "mini: sealing" in said
    assert "shout-1 1.2.3 installed from archive mini.tar" in said.splitlines()[-1]


def test_install_all_takes_every_compiler_with_a_recipe(toolchains, workshop: Workshop) -> None:
    assert toolchains("install", "--all")[0] == 0
    assert set(workshop.store.manifests()) == {"shout-1", "whisper-1"}


@pytest.mark.parametrize("words", [["install"], ["install", "--all", "shout-1"]])
def test_install_wants_names_or_all(toolchains, words: list[str]) -> None:
    assert toolchains(*words) == (2, "Name the compilers to install, or say --all.\n")


def test_an_unknown_compiler_is_refused_with_those_there_are(toolchains) -> None:
    code, said = toolchains("install", "cobol-1")

    assert code == 1
    assert said == "  ! there is no compiler 'cobol-1'; there are shout-1, whisper-1, silence-1\n"


def test_a_failed_installation_is_an_error(toolchains, workshop: Workshop) -> None:
    (workshop.recipe / "mini.tar").unlink()
    code, said = toolchains("install", "shout-1")

    assert code == 1
    assert "mini.tar is in none of" in said


def test_verify_takes_everything_by_default_and_fails_on_a_change(toolchains, workshop: Workshop) -> None:
    toolchains("install", "--all")
    assert toolchains("verify")[0] == 0

    (workshop.root() / "opt").chmod(0o755)
    (workshop.root() / "opt/added").write_text("x")
    code, said = toolchains("verify", "whisper-1")
    assert code == 1
    assert "opt/added was not there when it was installed" in said


def test_remove_removes_and_fails_for_what_was_not_there(toolchains) -> None:
    toolchains("install", "shout-1")

    assert toolchains("remove", "shout-1") == (0, "  shout-1 removed\n")
    assert toolchains("remove", "shout-1") == (1, "  ! shout-1 is not installed\n")


def test_it_runs_on_a_python_without_any_package(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-S", "-m", "execution.toolchains", "list"],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", "RUNCODE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert "python-3.14" in answer.stdout


def test_it_is_a_command_of_manage_py(capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import call_command  # noqa: PLC0415 - needs the settings of this test process

    call_command("toolchains", "list")
    assert "python-3.14" in capsys.readouterr().out
    assert settings.RUNCODE_HOME.is_dir()


def test_manage_py_finds_the_virtual_environment_by_itself() -> None:
    answer = subprocess.run(
        [sys.executable, "-S", str(REPOSITORY / "manage.py"), "toolchains", "list"],
        env={"PATH": "/usr/bin:/bin", "RUNCODE_HOME": str(settings.RUNCODE_HOME)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert "python-3.14" in answer.stdout


def test_manage_py_without_a_virtual_environment_says_how_to_make_one(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "manage.py", tmp_path)
    answer = subprocess.run(
        [sys.executable, "-S", str(tmp_path / "manage.py"), "check"], capture_output=True, text=True, check=False
    )

    assert answer.returncode == 1
    assert answer.stderr == "Django is not installed here. `make run` makes .venv with everything that is needed.\n"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_progress_is_one_line_drawn_over_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = _Terminal()
    progress = Progress(screen)
    progress.show("some", "downloading", "1/2 libc6", 0.25)
    progress.show("some", "unpacking", "x" * 500, 0.5)
    progress.done("some installed")

    first, second, last = screen.getvalue().split("\r\x1b[J")
    assert first == "  ######..................  25%  some: downloading 1/2 libc6"
    assert len(second) < 80
    assert last == "  some installed\n"


def test_on_a_terminal_each_thing_under_way_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = _Terminal()
    progress = Progress(screen)
    progress.show("one", "sealing")
    progress.show("other", "sealing")
    progress.done("one installed", "one")
    progress.done("other installed", "other")

    assert screen.getvalue() == (
        "  one: sealing"
        "\r\x1b[J  one: sealing\n  other: sealing"
        "\r\x1b[1A\x1b[J  one installed\n  other: sealing"
        "\r\x1b[J  other installed\n"
    )


def test_elsewhere_a_phase_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    progress = Progress(out)
    for number in range(50):
        progress.show("some", "downloading", f"{number}/50", number / 50)
    progress.show("some", "unpacking")
    progress.show("other", "unpacking")

    assert out.getvalue() == "  [  0%] some: downloading 0/50\n  some: unpacking\n  other: unpacking\n"
