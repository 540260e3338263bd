"""A lock (flock) needs no right to write, and the toolchains' files are the same ones for every sandbox: a program that
holds one on each of them keeps nobody from compiling and running."""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from execution.sandbox.client import SandboxClient
from execution.sandbox.job import Job, Outcome
from execution.toolchains.store import Store
from tests.abuse.drivers import HOSTS_OF_LONG_TESTS
from tests.languages.table import LANGUAGES, Language

FILES_OF_A_PROCESS = 3000
HOLDER = """
import fcntl, os, resource, signal, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
paths = sys.stdin.read().split("\\0")
for path in paths:
    fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
signal.pause()
"""


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Every regular file below `root` is held, as a program could hold it."""
    files = sorted(str(path) for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    # One inode may have several names.
    files = list({Path(path).stat().st_ino: path for path in files}.values())
    with ExitStack() as stack:
        # Languages share roots, and test processes would be in each other's way.
        turn = stack.enter_context((settings.RUNCODE_HOME / "toolchains" / f"{root.name}.tested").open("w"))
        fcntl.flock(turn, fcntl.LOCK_EX)
        for first in range(0, len(files), FILES_OF_A_PROCESS):
            holder = subprocess.Popen(
                [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.callback(holder.wait)
            stack.callback(holder.kill)
            assert holder.stdin is not None
            assert holder.stdout is not None
            stack.enter_context(holder.stdin)
            stack.enter_context(holder.stdout)
            holder.stdin.write("\0".join(files[first : first + FILES_OF_A_PROCESS]))
            holder.stdin.close()
            assert holder.stdout.readline() == "held\n"
        yield


@pytest.mark.parametrize("host", HOSTS_OF_LONG_TESTS, indirect=True)
@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES.keys())
async def test_locks_on_a_toolchain_stop_nobody(client: SandboxClient, language: Language) -> None:
    manifest = Store(settings.RUNCODE_HOME).manifests().get(language.id)
    if manifest is None:
        pytest.skip(f"{language.id} is not installed")
    entrypoint, files = language.files("hello")
    job = Job(language.id, files, entrypoint, env={"LOCKED": "1"})
    with locked(Path(manifest.root)):
        result = await client.run(job)
    assert (result.outcome, result.stdout) == (Outcome.SUCCESS, b"Hello, World!\n"), result
