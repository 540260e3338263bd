"""Builds the widget, or another part in TypeScript, anew: from its sources and exactly the packages that its lock file
pins."""

import shutil
import subprocess
from pathlib import Path

from django.conf import settings

from tests import npm

FRONTEND = Path(settings.BASE_DIR) / "widgets" / "frontend"
BUILD_SECONDS = 100


def workshop(folder: Path, sources: Path = FRONTEND, cache: str = "widget-packages") -> Path:
    """A copy of the sources with their packages, below `folder`; `cache` names where these are kept. esbuild's names
    for its chunks depend on where the packages stand beside the sources, so they are copied and not linked."""
    copy = folder / "frontend"
    shutil.copytree(sources, copy, ignore=shutil.ignore_patterns("node_modules"))
    packages = npm.installed(sources, cache) / "node_modules"
    shutil.copytree(packages, copy / "node_modules", symlinks=True, copy_function=_link)
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
