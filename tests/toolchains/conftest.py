"""A toolchain small enough to be installed in a blink: the host's shell and its libraries in a tar file."""

import hashlib
import io
import re
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from execution.catalogue import Compiler, Manifest, load_compilers
from execution.toolchains.install import Installer
from execution.toolchains.progress import Progress
from execution.toolchains.store import Store

SHELL = "/bin/sh"

COMPILERS = """
[env]
PATH = "/usr/bin:/bin"

[[compiler]]
id = "shout-1"
language = "Shout"
name = "Shout 1"
file_name = "main.sh"
editor_mode = "shell"
stateful = false
sample = "echo 'Hello, World!'\\n"
recipe = "mini"
version = { command = ["/bin/sh", "/opt/version.sh"], pattern = 'Shout (\\S+)' }
sources = ["*.sh"]
run = ["/bin/sh", "{entrypoint}"]

[[compiler]]
id = "whisper-1"
language = "Whisper"
name = "Whisper 1"
file_name = "main.sh"
editor_mode = "shell"
stateful = false
sample = "echo 'Hello, World!'\\n"
recipe = "mini"
version = { command = ["/bin/sh", "/opt/version.sh"], pattern = 'Shout (\\S+)' }
sources = ["*.sh"]
compile = ["/bin/sh", "-c", "while read -r line; do echo \\"$line\\"; done < main.sh > /build/program"]
run = ["/bin/sh", "/build/program"]

[[compiler]]
id = "silence-1"
language = "Silence"
name = "Silence 1"
file_name = "main.txt"
editor_mode = "text"
stateful = false
sample = ""
"""


def shell_files() -> dict[str, bytes]:
    """The host's /bin/sh and the libraries that it loads, by their path in a root."""
    listed = subprocess.run(["ldd", SHELL], capture_output=True, text=True, check=True).stdout
    libraries = re.findall(r"(/\S+) \(0x", listed)
    return {path.lstrip("/"): Path(path).read_bytes() for path in (SHELL, *libraries)}


def tar_of(files: dict[str, bytes], *, extra: Callable[[tarfile.TarFile], None] = lambda tar: None) -> bytes:
    """A tar archive of executable files; `extra` may add stranger members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content))
        extra(tar)
    return buffer.getvalue()


@dataclass
class Workshop:
    """A home, a catalogue and a recipe folder of one test, with an installer over them."""

    path: Path

    @property
    def home(self) -> Path:
        return self.path / "home"

    @property
    def recipe(self) -> Path:
        return self.path / "recipes" / "mini"

    @property
    def store(self) -> Store:
        return Store(self.home)

    def write_catalogue(self, text: str = COMPILERS) -> None:
        (self.path / "compilers.toml").write_text(text, encoding="utf-8")

    def catalogue(self) -> dict[str, Compiler]:
        return load_compilers(self.path / "compilers.toml")

    def archive(self, version: str, *, extra: Callable[[tarfile.TarFile], None] = lambda tar: None) -> bytes:
        """A toolchain that says it is `version`, as a tar file; `extra` may add stranger members."""
        return tar_of({**shell_files(), "opt/version.sh": f"echo Shout {version}\n".encode()}, extra=extra)

    def layer(self, content: bytes, name: str = "mini.tar") -> str:
        """Puts an archive into the recipe's folder and returns the recipe's lines for it."""
        (self.recipe / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        return f'[[source.layer]]\nkind = "archive"\nfile = "{name}"\nsha256 = "{digest}"\n'

    def write_recipe(
        self, version: str = "1.2.3", *, more: str = "", extra: Callable[[tarfile.TarFile], None] = lambda tar: None
    ) -> None:
        """A recipe of one source: an archive that says it is `version`. `more` goes into the source's table."""
        layer = self.layer(self.archive(version, extra=extra))
        (self.recipe / "recipe.toml").write_text(f"[[source]]\n{more}\n{layer}", encoding="utf-8")

    def installer(self) -> tuple[Installer, io.StringIO]:
        out = io.StringIO()
        return Installer(self.store, Progress(out), self.catalogue(), self.path / "recipes"), out

    def install(self, *ids: str, again: bool = False) -> list[str]:
        """Installs and returns what failed."""
        catalogue = self.catalogue()
        return self.installer()[0].install([catalogue[id_] for id_ in ids], again=again)

    def manifest(self, id_: str = "shout-1") -> Manifest:
        return self.store.manifests()[id_]

    def root(self, id_: str = "shout-1") -> Path:
        return Path(self.manifest(id_).root)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path)
    made.home.mkdir()
    made.recipe.mkdir(parents=True)
    made.write_catalogue()
    made.write_recipe()
    return made
