"""An installed toolchain, as its manifest describes it (compilers/<id>.json in the toolchains' folder)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from execution.sandbox.errors import SandboxError, ToolchainMissing


@dataclass(frozen=True, slots=True)
class Toolchain:
    """How to compile and run with one compiler.

    `compile` (None for interpreters) and `run` are commands in which `{entrypoint}` stands for the program's main
    file and `{sources}` for all files that match `sources`, the main one first. `hot`: the run command can be
    started ahead, with a FIFO in place of `file_name`, because it reads its program exactly once, to the end; or, where
    there is a `gate`, because it reads that FIFO to its end before it looks at the program.
    """

    id: str
    root: Path
    file_name: str
    sources: tuple[str, ...]
    compile: tuple[str, ...] | None
    run: tuple[str, ...]
    hot: bool
    env: Mapping[str, str]
    gate: str = ""

    def compile_command(self, *, entrypoint: str, files: Iterable[str]) -> list[str] | None:
        return None if self.compile is None else self._expand(self.compile, entrypoint, files)

    def run_command(self, *, entrypoint: str, files: Iterable[str], args: Iterable[str]) -> list[str]:
        return [*self._expand(self.run, entrypoint, files), *args]

    def with_command(self, command: tuple[str, ...]) -> "Toolchain":
        """Another program of its root, which has the same environment."""
        return replace(self, compile=None, run=command, hot=False, gate="")

    def _expand(self, command: tuple[str, ...], entrypoint: str, files: Iterable[str]) -> list[str]:
        others = [f for f in files if f != entrypoint and any(fnmatchcase(f, pattern) for pattern in self.sources)]
        expanded: list[str] = []
        for word in command:
            # "./" keeps a file name that starts with a dash from being read as an option.
            if word == "{sources}":
                expanded += [_plain(entrypoint), *map(_plain, others)]
            else:
                expanded.append(word.replace("{entrypoint}", _plain(entrypoint)))
        return expanded


def _plain(path: str) -> str:
    return f"./{path}" if path.startswith("-") else path


class Toolchains:
    """The toolchains of an installation, read when first used and again when their manifest changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "compilers"
        self._known: dict[str, tuple[int, Toolchain]] = {}

    def get(self, compiler: str) -> Toolchain:
        path = self._folder / f"{compiler}.json"
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            self._known.pop(compiler, None)
            raise ToolchainMissing(
                f"No toolchain for {compiler} is installed here. Install it: ./manage.py toolchains install {compiler}"
            ) from None
        known = self._known.get(compiler)
        if known is None or known[0] != changed:
            self._known[compiler] = known = (changed, _read(path))
        return known[1]

    def all(self) -> list[Toolchain]:
        return [self.get(path.stem) for path in sorted(self._folder.glob("*.json"))]


def _read(path: Path) -> Toolchain:
    try:
        data = json.loads(path.read_bytes())
        return Toolchain(
            id=data["id"],
            root=Path(data["root"]).resolve(),
            file_name=data["file_name"],
            sources=tuple(data["sources"]),
            compile=None if data["compile"] is None else tuple(data["compile"]),
            run=tuple(data["run"]),
            hot=bool(data["hot"]),
            env=dict(data["env"]),
            gate=data["hot"] if isinstance(data["hot"], str) else "",
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SandboxError(f"The manifest {path} cannot be read: {error!r}. Reinstall the toolchain.") from error
