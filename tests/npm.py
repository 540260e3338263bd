"""npm packages that tests use: those of a lock file, installed once and kept where the tests' toolchains are."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.settings import INSTALLED_TOOLCHAINS

INSTALL_SECONDS = 300


def installed(source: Path, name: str) -> Path:
    """The folder that holds `node_modules`, as `package-lock.json` of the folder `source` pins them. Installs them when
    they are not there yet; `name` tells the caches of several such folders apart."""
    lock = (source / "package-lock.json").read_bytes()
    cache = INSTALLED_TOOLCHAINS.parent / name
    folder = cache / hashlib.sha256(lock).hexdigest()[:16]
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as mutex:
        # Several test processes start at once.
        fcntl.flock(mutex, fcntl.LOCK_EX)
        if not folder.exists():
            _install(source, folder)
    return folder


def _install(source: Path, folder: Path) -> None:
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, new)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=new, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    new.rename(folder)
