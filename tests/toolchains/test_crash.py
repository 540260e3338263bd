"""An installer that is killed: at every step that changes what is installed, and in the middle of a long command."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from execution.toolchains import probe
from tests.toolchains.conftest import Workshop

REPOSITORY = Path(__file__).parents[2]

# Installs in a process of its own, which kills itself right before the n-th change of a name on the disk: renames and
# removals are the only steps that others can see.
INSTALLER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from tests.toolchains.conftest import Workshop

steps = int(sys.argv[2])
def counted(function):
    def call(*args, **kwargs):
        global steps
        steps -= 1
        if steps < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return call

for owner, name in ((os, "replace"), (os, "rename"), (os, "unlink"), (os, "rmdir")):
    setattr(owner, name, counted(getattr(owner, name)))
sys.exit(len(Workshop(Path(sys.argv[1])).install("shout-1", "whisper-1")))
"""


def _install_killed_before(workshop: Workshop, step: int) -> int:
    program = INSTALLER.format(repository=str(REPOSITORY))
    return subprocess.run([sys.executable, "-c", program, str(workshop.path), str(step)], check=False).returncode


def _assert_usable(workshop: Workshop, versions: set[str]) -> None:
    """Every manifest names a whole root that greets, with the version that the root itself tells."""
    for id_, manifest in workshop.store.manifests().items():
        compiler = workshop.catalogue()[id_]
        assert manifest.version in versions
        assert probe.version(Path(manifest.root), compiler) == manifest.version
        probe.greets(Path(manifest.root), compiler)
    installer, _ = workshop.installer()
    assert installer.verify([workshop.catalogue()[id_] for id_ in workshop.store.manifests()]) == []


def test_a_kill_at_any_step_leaves_the_old_or_the_new(workshop: Workshop) -> None:
    assert workshop.install("shout-1", "whisper-1") == []
    new = 1
    step = 0
    ended = -signal.SIGKILL
    while ended == -signal.SIGKILL:
        # Each time a newer recipe over what the kill before left, so that every step is also a recovery.
        workshop.write_recipe(f"2.0.{new}")
        ended = _install_killed_before(workshop, step)
        _assert_usable(workshop, {"1.2.3", *(f"2.0.{n}" for n in range(new + 1))})
        assert set(workshop.store.manifests()) == {"shout-1", "whisper-1"}
        new += 1
        step += 3
    assert ended == 0
    # At least the records, the root and two manifests were stepped over.
    assert new > 4
    assert list(workshop.store.building.iterdir()) == []
    assert len(list(workshop.store.roots.iterdir())) == 1


def _commands_of(workshop: Workshop) -> list[str]:
    """Command lines of living processes that have to do with this workshop."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().decode(errors="replace").replace("\0", " ")
            if str(workshop.store.building) in words:
                found.append(words)
    return found


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_kill_in_the_middle_of_a_command_ends_the_command_too(workshop: Workshop, number: signal.Signals) -> None:
    workshop.install("shout-1")
    before = workshop.manifest()
    workshop.write_recipe("1.3.0", more='prepare = [["/bin/sh", "-c", "echo > /opt/started; while :; do :; done"]]')
    program = INSTALLER.format(repository=str(REPOSITORY))
    process = subprocess.Popen([sys.executable, "-c", program, str(workshop.path), "100000"], stderr=subprocess.DEVNULL)
    _wait_for(lambda: any(workshop.store.building.glob("*/root/opt/started")))
    assert _commands_of(workshop)
    process.send_signal(number)
    assert process.wait(20) != 0

    _wait_for(lambda: not _commands_of(workshop))
    assert workshop.manifest() == before
    workshop.write_recipe("1.3.1")
    assert workshop.install("shout-1") == []
    assert workshop.manifest().version == "1.3.1"
    assert list(workshop.store.building.iterdir()) == []
