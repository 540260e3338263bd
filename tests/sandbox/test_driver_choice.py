"""Which driver a host gets: native where it can be had, else Docker, else a refusal that names both remedies."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox import engine
from tests.sandbox.supervisors import PATIENCE, REPOSITORY


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "toolchains").mkdir()
    return tmp_path


def path_without(program: str, folder: Path) -> str:
    """A PATH on which everything is to be found but one program."""
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(":")):
        for entry in Path(place).iterdir() if Path(place).is_dir() else ():
            link = folder / entry.name
            if entry.name != program and not link.is_symlink():
                link.symlink_to(entry)
    return str(folder)


def check(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m execution.sandbox --check`: one trial sandbox."""
    command = [sys.executable, "-m", "execution.sandbox", "--home", str(home), "--check"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "RUNCODE_"))}
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


def test_a_fit_host_has_native_sandboxes(home: Path) -> None:
    done = check(home)
    assert (done.returncode, "(native)" in done.stdout) == (0, True), done.stderr


def test_docker_is_taken_when_it_is_asked_for(home: Path, docker_engine: str) -> None:
    done = check(home, RUNCODE_SANDBOX_DRIVER="docker", DOCKER_HOST=docker_engine)
    assert (done.returncode, "(docker)" in done.stdout) == (0, True), done.stderr


def test_where_native_cannot_be_had_docker_is_taken_by_itself(home: Path, docker_engine: str) -> None:
    done = check(home, PATH=path_without("bwrap", home / "bin"), DOCKER_HOST=docker_engine)
    assert (done.returncode, "(docker)" in done.stdout) == (0, True), done.stderr
    assert "bubblewrap is missing" in done.stderr


def test_where_neither_can_be_had_both_remedies_are_named(home: Path) -> None:
    done = check(home, PATH=path_without("bwrap", home / "bin"), DOCKER_HOST=f"unix://{home}/none.sock")
    assert done.returncode == 1
    assert "apt-get install bubblewrap" in done.stderr
    assert "No Docker Engine answers" in done.stderr
    assert "DOCKER_HOST" in done.stderr
    assert "Traceback" not in done.stderr


def test_native_alone_does_not_fall_back(home: Path, docker_engine: str) -> None:
    path = path_without("bwrap", home / "bin")
    done = check(home, PATH=path, DOCKER_HOST=docker_engine, RUNCODE_SANDBOX_DRIVER="native")
    assert (done.returncode, "bubblewrap is missing" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"RUNCODE_SANDBOX_DRIVER": "podman"}, "it may be auto, native, docker"),
        ({"RUNCODE_SANDBOX_DRIVER": "docker", "DOCKER_HOST": "ssh://example.com"}, "forward its socket"),
    ],
)
def test_what_cannot_be_is_said_in_words(home: Path, environment: dict[str, str], said: str) -> None:
    done = check(home, **environment)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (1, True, False), done.stderr


def test_an_unknown_runtime_is_refused(home: Path, docker_engine: str) -> None:
    done = check(
        home, RUNCODE_SANDBOX_DRIVER="docker", DOCKER_HOST=docker_engine, RUNCODE_DOCKER_RUNTIME="no-such-runtime"
    )
    assert done.returncode == 1
    assert "no OCI runtime no-such-runtime" in done.stderr


def test_a_real_engine_with_an_old_runc_is_refused(home: Path, docker_engine: str) -> None:
    """The tests' Engine has Debian's own runc too, under another name."""
    own = shutil.which("runc")
    assert own is not None
    if engine.is_safe(Path(own)):
        pytest.skip("this host's runc is a new one")
    done = check(
        home, RUNCODE_SANDBOX_DRIVER="docker", DOCKER_HOST=docker_engine, RUNCODE_DOCKER_RUNTIME=engine.HOSTS_RUNC
    )
    assert done.returncode == 1
    assert "Install runc 1.2.8" in done.stderr
