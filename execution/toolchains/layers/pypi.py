"""Layer `pypi`: wheels from the index that the host's pip is configured for, for the Python inside the root.

    kind = "pypi"
    requirements = "requirements.txt"        # in the recipe's folder; every requirement pinned, with hashes
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

NETWORK = re.compile(r"Connection|connection|timed out|HTTP error|Temporary failure")

# glibc of Debian sid runs wheels of all of these; pip takes the first that a project offers.
MANYLINUX = ("2_39", "2_36", "2_35", "2_34", "2_31", "2_28", "2_27", "2_26", "2_24", "2_17")


@dataclass(frozen=True)
class PypiLayer:
    requirements: Path
    python: str
    into: str
    kind: ClassVar[str] = "pypi"

    @classmethod
    def from_table(cls, table: dict[str, Any], folder: Path) -> Layer:
        options = take(table, {"requirements": str, "python": str, "into": str})
        requirements = folder / options["requirements"]
        if not requirements.is_file():
            raise RecipeInvalid(f"{requirements} does not exist")
        return cls(requirements, options["python"], options["into"])

    @property
    def name(self) -> str:
        return f"PyPI wheels of {self.requirements.name}"

    def unreachable(self, home: Path) -> str | None:
        if importlib.util.find_spec("pip"):
            return None
        return f"{sys.executable} has no pip; run this as ./manage.py toolchains (the virtual environment has one)"

    def command(self, target: Path) -> list[str]:
        """The pip call that installs into `target`."""
        machine = platform.machine()
        platforms = [f"--platform=manylinux_{version}_{machine}" for version in MANYLINUX]
        # pip asks whether *its own* Python is new enough for a wheel, whatever --python-version says; the pins are for
        # the root's.
        return [
            *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-compile", "--no-deps"),
            *("--require-hashes", "--only-binary=:all:", "--implementation=cp", f"--python-version={self.python}"),
            "--ignore-requires-python",
            *platforms,
            *("--target", str(target), "-r", str(self.requirements)),
        ]

    def unpack(self, build: Build) -> str:
        target = inside(build.root, self.into)
        build.show("downloading", self.name)
        try:
            command.follow(
                self.command(target), lambda line: build.show("downloading", line), log=build.log, keep=build.lock
            )
        except command.CommandFailed as error:
            if NETWORK.search(error.output):
                raise SourceUnreachable(str(error)) from None
            raise
        return " ".join(sorted(path.name for path in target.glob("*.dist-info")))
