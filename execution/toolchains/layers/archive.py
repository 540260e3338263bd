"""Layer `archive`: a tar file on this machine, for what no registry offers.

kind = "archive"
file = "dotnet-9.tar.xz"      # looked for in RUNCODE_TOOLCHAIN_ARCHIVES, RUNCODE_HOME/archives, the recipe's folder
sha256 = "…"
into = "/opt"                 # where in the root it is unpacked
strip = 0                     # leading path parts to drop
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from execution.toolchains import command
from execution.toolchains.errors import InstallFailed, SourceUnreachable
from execution.toolchains.layers.base import Build, Layer, inside, take


@dataclass(frozen=True)
class ArchiveLayer:
    folder: Path
    file: str
    sha256: str
    into: str
    strip: int
    kind: ClassVar[str] = "archive"

    @classmethod
    def from_table(cls, table: dict[str, Any], folder: Path) -> Layer:
        return cls(folder, **take(table, {"file": str, "sha256": str}, {"into": "/", "strip": 0}))

    @property
    def name(self) -> str:
        return f"archive {self.file}"

    def _places(self, home: Path) -> list[Path]:
        named = os.environ.get("RUNCODE_TOOLCHAIN_ARCHIVES", "")
        return [*(Path(place) for place in named.split(os.pathsep) if place), home / "archives", self.folder]

    def _find(self, home: Path) -> Path | None:
        return next((path for place in self._places(home) if (path := place / self.file).is_file()), None)

    def unreachable(self, home: Path) -> str | None:
        if self._find(home):
            return None
        places = ", ".join(map(str, self._places(home)))
        return f"{self.file} is in none of {places}; put it there or name its folder in RUNCODE_TOOLCHAIN_ARCHIVES"

    def command(self, path: Path, target: Path) -> list[str]:
        """The tar call. GNU tar itself refuses members that would leave `target`."""
        options = [f"--strip-components={self.strip}", "--no-same-owner", "--keep-directory-symlink"]
        return ["tar", "-xf", str(path), "-C", str(target), *options]

    def unpack(self, build: Build) -> str:
        path = self._find(build.home)
        if path is None:
            raise SourceUnreachable(f"{self.file} is gone")
        build.show("checking", self.file)
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sha256:
            raise InstallFailed(f"{path} is not the file that the recipe means: its SHA-256 is {found}")
        build.show("unpacking", self.file)
        command.follow(
            self.command(path, inside(build.root, self.into)),
            lambda line: build.show("unpacking", line),
            log=build.log,
            keep=build.lock,
        )
        return f"{self.file} sha256:{self.sha256}"
