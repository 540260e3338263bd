"""Compiles the helpers, once for each version of their source."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from execution.sandbox.errors import SandboxUnavailable

SOURCES = Path(__file__).parent
# Static, so that init runs in any root file system; with musl, whose programs start in a fraction of the time that
# glibc's static ones take to look at the processor, which is dear on virtual machines.
COMPILER = "musl-gcc"
REMEDY = "Install it: apt-get install gcc musl-tools"
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-static")


def build_helper(name: str, folder: Path, sources: Path = SOURCES) -> Path:
    """The executable of `name`.c below `folder`, compiled unless one of this very source is there already."""
    source = sources / f"{name}.c"
    # What is included counts too: files, by init; init, by others.
    digest = hashlib.sha256(repr((COMPILER, FLAGS)).encode())
    for path in sorted({source, *SOURCES.glob("*.c")}):
        digest.update(path.read_bytes())
    executable = folder / f"{name}-{digest.hexdigest()[:12]}"
    if executable.exists():
        return executable
    compiler = shutil.which(COMPILER)
    if compiler is None:
        raise SandboxUnavailable(f"The C compiler {COMPILER} is missing. {REMEDY}")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = executable.with_suffix(".new")
    done = subprocess.run(
        [compiler, *FLAGS, "-o", str(unfinished), str(source)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SandboxUnavailable(f"{source.name} could not be compiled:\n{done.stderr}")
    unfinished.chmod(0o755)
    unfinished.rename(executable)
    return executable
