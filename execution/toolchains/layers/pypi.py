"""Layer `pypi`: wheels from the index that the host's pip is configured for, for the Python inside the root.

    kind = "pypi"
    requirements = "requirements.txt"        # in the recipe's folder; every requirement pinned, with hashes
    packages = ["polars==1.30.0"]            # or these, in exact versions, and what they depend on
    python = "3.14"                          # the version inside the root
    into = "/usr/local/lib/python3.14/dist-packages"

Wheels only: building from source would run a stranger's code outside every sandbox.
"""

import importlib.util
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from execution.toolchains import command
from execution.toolchains.errors import RecipeInvalid, SourceUnreachable
from execution.toolchains.layers.base import Build, Layer, inside, take

EXACT = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w.,-]+\])?==[\w.!+-]+")
NETWORK = re.compile(r"Connection|connection|timed out|HTTP error|Temporary failure")

# glibc of Debian sid runs wheels of all of these; pip takes the first that a project offers.
MANYLINUX = ("2_39", "2_36", "2_35", "2_34", "2_31", "2_28", "2_27", "2_26", "2_24", "2_17")


def pip() -> list[str] | None:
    """How pip is called here: as a module, or out of the wheel that Python's ensurepip would install (Debian keeps it
    in a folder of its own), which runs where it lies. None when there is neither."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    found = importlib.util.find_spec("ensurepip")
    bundled = Path(found.origin).parent / "_bundled" if found and found.origin else Path("/usr/share/python-wheels")
    folders = (bundled, Path("/usr/share/python-wheels"))
    wheels = [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
    return [sys.executable, f"{wheels[-1]}/pip"] if wheels else None


@dataclass(frozen=True)
class PypiLayer:
    requirements: Path | None
    packages: tuple[str, ...]
    python: str
    into: str
    kind: ClassVar[str] = "pypi"

    @classmethod
    def from_table(cls, table: dict[str, Any], folder: Path) -> Layer:
        options = take(table, {"python": str, "into": str}, {"requirements": "", "packages": []})
        if bool(options["requirements"]) == bool(options["packages"]):
            raise RecipeInvalid("a pypi layer needs either requirements or packages")
        for package in options["packages"]:
            if not EXACT.fullmatch(package):
                raise RecipeInvalid(f"PyPI package {package!r}: an exact version is needed, as in polars==1.30.0")
        requirements = folder / options["requirements"] if options["requirements"] else None
        if requirements and not requirements.is_file():
            raise RecipeInvalid(f"{requirements} does not exist")
        return cls(requirements, tuple(options["packages"]), options["python"], options["into"])

    @property
    def name(self) -> str:
        return f"PyPI {self.requirements.name if self.requirements else ' '.join(self.packages)}"

    def unreachable(self, home: Path) -> str | None:
        return None if pip() else f"{sys.executable} has no pip (apt-get install python3-venv)"

    def command(self, target: Path, cache: Path) -> list[str]:
        """The pip call that installs into `target`."""
        machine = platform.machine()
        platforms = [f"--platform=manylinux_{version}_{machine}" for version in MANYLINUX]
        wanted = ["--no-deps", "--require-hashes", "-r", str(self.requirements)] if self.requirements else self.packages
        # pip asks whether *its own* Python is new enough for a wheel, whatever --python-version says; the pins are for
        # the root's.
        return [
            *(pip() or ()),
            *("install", "--disable-pip-version-check", "--no-compile", "--ignore-requires-python"),
            *("--root-user-action=ignore", "--progress-bar=off", "--cache-dir", str(cache)),
            *("--only-binary=:all:", "--implementation=cp", f"--python-version={self.python}", *platforms),
            *("--target", str(target), *wanted),
        ]

    def unpack(self, build: Build) -> str:
        target = inside(build.root, self.into)
        build.show("downloading", self.name, 0.85)
        try:
            command.follow(
                self.command(target, build.downloads.folder / "pip"),
                lambda line: build.show("downloading", line, 0.85),
                log=build.log,
                keep=build.lock,
            )
        except command.CommandFailed as error:
            if NETWORK.search(error.output):
                raise SourceUnreachable(str(error)) from None
            raise
        return " ".join(sorted(path.name for path in target.glob("*.dist-info")))
