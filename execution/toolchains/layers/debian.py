"""Layer `debian`: packages of one or more Debian suites, by mmdebstrap. Comes first in a source.

kind = "debian"
suites = ["sid"]                      # the first is the base; "experimental" may follow
packages = ["python3.14", "gcc-15"]   # as apt takes them, so also "ghc/experimental"
components = ["main"]
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from execution.toolchains import apt_sources, command
from execution.toolchains.errors import InstallFailed, RecipeInvalid, SourceUnreachable
from execution.toolchains.layers.base import Build, Layer, take

# What nobody reads inside a sandbox. Left out while unpacking: removing it later would cost the time twice. The
# directories of manual pages stay: some packages (OpenJDK) link into them when they are set up.
UNREAD = ("/usr/share/doc/*", "/usr/share/man/*/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*")

NETWORK = re.compile(r"Could not resolve|Could not connect|Unable to connect|Failed to fetch|timed out|does not have a")


class _Phases:
    """Turns the output of mmdebstrap --verbose into progress: it runs apt twice, for the essential packages and for
    the rest, each time downloading (`Get:`), unpacking and setting up as many packages as apt announces."""

    # How much of the whole each half is, seen with the python-gcc recipe: 56 small packages, then 48 large ones.
    SHARE = ((0.05, 0.40), (0.40, 0.85))

    def __init__(self, build: Build) -> None:
        self.build = build
        self.half = -1
        self.total = 0
        self.seen = {"Get": 0, "Unpacking": 0, "Setting up": 0}

    def line(self, line: str) -> None:
        if line.startswith("I: running apt-get update"):
            self.build.show("reading the package lists", fraction=0.02)
        elif announced := re.search(r"(\d+) newly installed", line):
            self.half = min(self.half + 1, len(self.SHARE) - 1)
            self.total = int(announced[1])
            self.seen = dict.fromkeys(self.seen, 0)
        elif self.total and (step := re.match(r"(Get|Unpacking|Setting up)(?::\d+ \S+ \S+ \S+)? ([^\s:]+)", line)):
            self._step(step[1], step[2])

    def _step(self, what: str, package: str) -> None:
        self.seen[what] += 1
        done = sum(min(count, self.total) for count in self.seen.values()) / (3 * self.total)
        start, end = self.SHARE[self.half]
        phase = {"Get": "downloading", "Unpacking": "unpacking", "Setting up": "setting up"}[what]
        self.build.show(phase, f"{self.seen[what]}/{self.total} {package}", start + done * (end - start))


@dataclass(frozen=True)
class DebianLayer:
    suites: tuple[str, ...]
    packages: tuple[str, ...]
    components: tuple[str, ...]
    kind: ClassVar[str] = "debian"

    @classmethod
    def from_table(cls, table: dict[str, Any], folder: Path) -> Layer:
        options = take(table, {"suites": list, "packages": list}, {"components": ["main"]})
        if not options["suites"]:
            raise RecipeInvalid("a debian layer needs a suite")
        return cls(tuple(options["suites"]), tuple(options["packages"]), tuple(options["components"]))

    @property
    def name(self) -> str:
        return f"Debian {' + '.join(self.suites)}"

    def unreachable(self, home: Path) -> str | None:
        if not shutil.which("mmdebstrap"):
            return "mmdebstrap is not installed (apt-get install mmdebstrap)"
        if not apt_sources.KEYRING.is_file():
            return f"{apt_sources.KEYRING} does not exist (apt-get install debian-archive-keyring)"
        if not apt_sources.debian_mirrors():
            return "no Debian mirror is known; set RUNCODE_DEBIAN_MIRROR to the address of one"
        return None

    def command(self, target: str, mirror: apt_sources.Mirror, apt_options: Sequence[str], *, root: bool) -> list[str]:
        """The mmdebstrap call. As root it makes the tree in place; otherwise it works in a user namespace, whose tree
        belongs to ids that are not ours, so that it is handed over as a tar stream (`target` is "-")."""
        options = ["--verbose", "--variant=essential", f"--mode={'root' if root else 'unshare'}"]
        options.append("--format=directory" if root else "--format=tar")
        # Sid's index is good for a week; a mirror that is kept as of some day serves an older one.
        for option in ('Acquire::Check-Valid-Until "false"', 'Acquire::Languages "none"', *apt_options):
            options.append(f"--aptopt={option}")
        options += [f"--dpkgopt=path-exclude={path}" for path in UNREAD]
        if self.packages:
            options.append(f"--include={','.join(self.packages)}")
        line = f"deb [signed-by={mirror.keyrings}] {mirror.address} {{}} {' '.join(self.components)}"
        return ["mmdebstrap", *options, self.suites[0], target, *(line.format(suite) for suite in self.suites)]

    def unpack(self, build: Build) -> str:
        if build.root.exists() and any(build.root.iterdir()):
            raise InstallFailed("a debian layer must be the first of its source")
        failure: SourceUnreachable | None = None
        for mirror in apt_sources.debian_mirrors():
            shutil.rmtree(build.root, ignore_errors=True)
            build.root.mkdir(mode=0o755, parents=True)
            try:
                self._unpack_from(mirror, build)
            except command.CommandFailed as error:
                if not NETWORK.search(error.output):
                    raise
                failure = SourceUnreachable(str(error))
            else:
                return f"{self.name}: {self._versions(build.root)}"
        raise failure or SourceUnreachable("no Debian mirror is known")

    def _unpack_from(self, mirror: apt_sources.Mirror, build: Build) -> None:
        phases = _Phases(build)
        options = apt_sources.transport_options()
        build.show("starting", self.name, 0.0)
        if os.geteuid() == 0:
            argv = self.command(str(build.root), mirror, options, root=True)
            command.follow(argv, phases.line, log=build.log, keep=build.lock)
            return
        archive = build.scratch / "root.tar"
        argv = self.command(str(archive), mirror, options, root=False)
        command.follow(argv, phases.line, log=build.log, keep=build.lock)
        build.show("copying", fraction=0.85)
        # No device files: they need root, and no root may have one.
        command.run(["tar", "-xf", str(archive), "-C", str(build.root), "--no-same-owner", "--exclude=./dev/*"])
        archive.unlink()

    def _versions(self, root: Path) -> str:
        """`package version` of the packages that the recipe names, from the tree's own dpkg database."""
        names = [package.split("/")[0].split("=")[0] for package in self.packages]
        if not names:
            return "base system"
        answer = subprocess.run(
            ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${Package} ${Version}, ", *names],
            capture_output=True,
            text=True,
            check=False,
        )
        return answer.stdout.rstrip(", ") or ", ".join(names)
