"""Layer `debian`: packages of one or more Debian suites, by mmdebstrap. Comes first in a source.

kind = "debian"
suites = ["sid"]                      # the first is the base; "experimental" may follow
packages = ["python3.14", "gcc-15"]   # as apt takes them, so also "ghc/experimental"
components = ["main"]

The base system of a suite is made once and lent to every recipe of an installation.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from execution.toolchains import apt_sources, command
from execution.toolchains.downloads import APT_ARCHIVES
from execution.toolchains.errors import InstallFailed, RecipeInvalid, SourceUnreachable
from execution.toolchains.layers.base import Build, Layer, take
from execution.toolchains.layers.debian_progress import Phases

# What nobody reads inside a sandbox. Left out while unpacking: removing it later would cost the time twice. The
# directories of manual pages stay: some packages (OpenJDK) link into them when they are set up.
UNREAD = ("/usr/share/doc/*", "/usr/share/man/*/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*")

# mmdebstrap mounts /proc and others into the tree, where the host would see them. Like this they go with it, however
# it ends.
OWN_MOUNTS = ("unshare", "--mount", "--propagation", "private", "--")

NETWORK = re.compile(r"Could not resolve|Could not connect|Unable to connect|Failed to fetch|timed out|does not have a")


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

    def _call(
        self, target: str, mirror: apt_sources.Mirror, suites: Sequence[str], more: Sequence[str], *, root: bool
    ) -> list[str]:
        """An mmdebstrap call. As root it works in place; otherwise in a user namespace, whose tree belongs to ids that
        are not ours."""
        options = ["--verbose", "--variant=essential", f"--mode={'root' if root else 'unshare'}", *more]
        # Sid's index is good for a week; a mirror that is kept as of some day serves an older one.
        settings = ('Acquire::Check-Valid-Until "false"', 'Acquire::Languages "none"', *apt_sources.transport_options())
        options += [f"--aptopt={setting}" for setting in settings]
        options += [f"--dpkgopt=path-exclude={path}" for path in UNREAD]
        line = f"deb [signed-by={mirror.keyrings}] {mirror.address} {{}} {' '.join(self.components)}"
        return ["mmdebstrap", *options, self.suites[0], target, *(line.format(suite) for suite in suites)]

    def base_command(self, target: str, mirror: apt_sources.Mirror, *, root: bool) -> list[str]:
        """Makes the tar file of the first suite's base system, which keeps its package lists."""
        more = ["--format=tar", "--skip=cleanup/apt/lists", "--skip=output/dev"]
        # Those who build on it bring their own, which this would replace.
        more.append('--customize-hook=rm -f "$1/etc/apt/sources.list"')
        return self._call(target, mirror, self.suites[:1], more, root=root)

    def command(self, target: str, base: Path, mirror: apt_sources.Mirror, debs: Path, *, root: bool) -> list[str]:
        """Puts the packages on the base system: in a directory as root, else as a tar stream (`target` is "-")."""
        more = [f"--format={'directory' if root else 'tar'}", f"--setup-hook=tar-in {shlex.quote(str(base))} /"]
        if root:
            # Hard links both ways: what other recipes have fetched, and what this one fetches.
            theirs, ours = shlex.quote(str(debs)), f'"$1/{APT_ARCHIVES}"'
            more.append(f"--setup-hook=mkdir -p {ours} && cp -ln {theirs}/. {ours} -r")
            more.append(f"--customize-hook=cp -ln {ours}/*.deb {theirs} || true")
        if self.suites[1:] == ():
            more.append("--skip=update")  # the base has the lists
        if self.packages:
            more.append(f"--include={','.join(self.packages)}")
        return self._call(target, mirror, self.suites, more, root=root)

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
        root = os.geteuid() == 0
        phases = Phases(build)
        build.show("starting", self.name, 0.0)

        def make_base(path: Path) -> None:
            argv = [*(OWN_MOUNTS if root else ()), *self.base_command(str(path), mirror, root=root)]
            command.follow(argv, phases.line, log=build.log, keep=build.lock)

        key = hashlib.sha256(repr(self.base_command("", mirror, root=root)).encode()).hexdigest()[:12]
        base = build.downloads.once(f"debian-{self.suites[0]}-{key}.tar", make_base)
        phases.base_is_there()
        if root:
            argv = self.command(str(build.root), base, mirror, build.downloads.debs, root=True)
            command.follow([*OWN_MOUNTS, *argv], phases.line, log=build.log, keep=build.lock)
            return
        archive = build.scratch / "root.tar"
        argv = self.command(str(archive), base, mirror, build.downloads.debs, root=False)
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
