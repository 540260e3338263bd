"""Builds the widget anew, from its sources and exactly the packages that its lock file pins.

The packages are kept where the tests' toolchains are, under the digest of the lock file.
"""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from django.conf import settings

from tests.settings import INSTALLED_TOOLCHAINS

FRONTEND = Path(settings.BASE_DIR) / "widgets" / "frontend"
INSTALL_SECONDS = 300
BUILD_SECONDS = 100


def workshop(folder: Path) -> Path:
    """A copy of the sources with their packages, below `folder`. esbuild's names for its chunks depend on where the
    packages stand beside the sources, so they are copied and not linked."""
    copy = folder / "frontend"
    shutil.copytree(FRONTEND, copy, ignore=shutil.ignore_patterns("node_modules"))
    shutil.copytree(_packages() / "node_modules", copy / "node_modules", symlinks=True, copy_function=_link)
    return copy


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _link(source: str, target: str) -> None:
    try:
        Path(target).hardlink_to(source)
    except OSError:  # another file system
        shutil.copy2(source, target)


def _packages() -> Path:
    lock = (FRONTEND / "package-lock.json").read_bytes()
    cache = INSTALLED_TOOLCHAINS.parent / "widget-packages"
    installed = cache / hashlib.sha256(lock).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as mutex:
        # Several test processes start at once.
        fcntl.flock(mutex, fcntl.LOCK_EX)
        if not installed.exists():
            _install(installed)
    return installed


def _install(folder: Path) -> None:
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FRONTEND / name, new)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=new, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    new.rename(folder)
