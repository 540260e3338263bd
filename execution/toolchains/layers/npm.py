"""Layer `npm`: packages of the npm registry that the host's npm is configured for.

    kind = "npm"
    packages = ["deno@2.6.0"]     # exact versions
    into = "/opt/node"            # gets node_modules/

Install scripts are not run: they would run as the installer's user, outside every sandbox.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from execution.toolchains import command
from execution.toolchains.errors import RecipeInvalid, SourceUnreachable
from execution.toolchains.layers.base import Build, Layer, inside, take

EXACT = re.compile(r"(@[^@/]+/)?[^@/]+@\d[^@/]*")
# 1985-10-26T08:15:00Z, the time of every file in the registry's archives.
PACKED = 499162500
NETWORK = re.compile(r"ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ECONNRESET|E40[0-9]|E5\d\d")


@dataclass(frozen=True)
class NpmLayer:
    packages: tuple[str, ...]
    into: str
    kind: ClassVar[str] = "npm"

    @classmethod
    def from_table(cls, table: dict[str, Any], folder: Path) -> Layer:
        options = take(table, {"packages": list}, {"into": "/opt/node"})
        for package in options["packages"]:
            if not EXACT.fullmatch(package):
                raise RecipeInvalid(f"npm package {package!r}: an exact version is needed, as in deno@2.6.0")
        return cls(tuple(options["packages"]), options["into"])

    @property
    def name(self) -> str:
        return f"npm {' '.join(self.packages)}"

    def unreachable(self, home: Path) -> str | None:
        return None if shutil.which("npm") else "npm is not installed (apt-get install npm)"

    def command(self, target: Path, cache: Path) -> list[str]:
        """The npm call that installs into `target`."""
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--no-save", "--no-package-lock"]
        return ["npm", "install", *options, "--cache", str(cache), "--prefix", str(target), *self.packages]

    def unpack(self, build: Build) -> str:
        target = inside(build.root, self.into)
        build.show("downloading", self.name)
        try:
            command.follow(
                self.command(target, build.downloads.folder / "npm"),
                lambda line: build.show("downloading", line),
                log=build.log,
                keep=build.lock,
            )
        except command.CommandFailed as error:
            if NETWORK.search(error.output):
                raise SourceUnreachable(str(error)) from None
            raise
        even_times(target / "node_modules")
        return " ".join(self.packages)


def even_times(tree: Path) -> None:
    """npm gives every file the time at which it was unpacked. With that of npm's own archives, two roots that have the
    same package have the same files (see `execution.toolchains.sharing`)."""
    for folder, _, names in os.walk(tree):
        for name in names:
            os.utime(Path(folder, name), (PACKED, PACKED), follow_symlinks=False)
