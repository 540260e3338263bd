"""Compiles the two helpers, launch and init, once for each version of their source."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from execution.sandbox.errors import SandboxUnavailable

SOURCES = Path(__file__).parent
# Static, so that init runs in any root file system, also one with another C library.
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-static")


def build_helper(name: str, folder: Path) -> Path:
    """The executable of `name`.c below `folder`, compiled unless one of this very source is there already."""
    source = SOURCES / f"{name}.c"
    digest = hashlib.sha256(source.read_bytes() + repr(FLAGS).encode()).hexdigest()[:12]
    executable = folder / f"{name}-{digest}"
    if executable.exists():
        return executable
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SandboxUnavailable("A C compiler is missing. Install it: apt-get install gcc libc6-dev")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = executable.with_suffix(".new")
    done = subprocess.run(
        [compiler, *FLAGS, "-o", str(unfinished), str(source)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SandboxUnavailable(
            f"{source.name} could not be compiled:\n{done.stderr}\nInstall: apt-get install gcc libc6-dev"
        )
    unfinished.chmod(0o755)
    unfinished.rename(executable)
    return executable
