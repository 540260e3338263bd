"""The languages of the service: what they are (compilers.toml) and which of them can run here (the manifests that
`toolchains install` leaves in RUNCODE_HOME/toolchains/compilers). Knows no Django, so that the toolchains can be
installed before anything else is."""

import json
import time
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from execution.environment import is_on

COMPILERS_TOML = Path(__file__).with_name("compilers.toml")


@dataclass(frozen=True, slots=True)
class VersionProbe:
    """How a toolchain is asked for its version: a command, and the pattern whose first group is the version."""

    command: tuple[str, ...]
    pattern: str


@dataclass(frozen=True, slots=True)
class Commands:
    """What makes a compiler run: filled into its manifest when its recipe is installed. `recipe_with_libraries` is a
    second recipe that has the libraries too, where they are not in the first; `libraries` is the command that prints
    them, as lines of a name and a version."""

    recipe: str
    recipe_with_libraries: str | None
    version: VersionProbe
    libraries: tuple[str, ...] | None
    compile: tuple[str, ...] | None
    run: tuple[str, ...]
    sources: tuple[str, ...]
    hot: bool | str
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Compiler:
    """A language of the service as people see it. `commands` is None while no recipe exists for it."""

    id: str
    language: str
    name: str
    file_name: str
    editor_mode: str
    sample: str
    stateful: bool
    commands: Commands | None

    @property
    def recipe(self) -> str | None:
        return self.commands.recipe if self.commands else None

    @property
    def recipe_with_libraries(self) -> str | None:
        """The recipe to install the compiler from with all its libraries."""
        return (self.commands.recipe_with_libraries or self.commands.recipe) if self.commands else None


@dataclass(frozen=True, slots=True)
class Manifest:
    """An installed compiler: the file `RUNCODE_HOME/toolchains/compilers/<id>.json`, which the sandbox reads too.

    `version` is what the toolchain printed when it was installed; `stand_in` says that it is only near to the id.
    `libraries` are those beyond the language's own, as the toolchain told them: names and versions.
    `compile` and `run` are argument lists with the placeholders that compilers.toml explains.
    """

    id: str
    root: str
    version: str
    stand_in: bool
    file_name: str
    sources: tuple[str, ...]
    compile: tuple[str, ...] | None
    run: tuple[str, ...]
    hot: bool | str
    env: Mapping[str, str]
    libraries: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        compiler: Compiler,
        *,
        root: Path,
        version: str,
        stand_in: bool,
        libraries: Iterable[tuple[str, str]] = (),
    ) -> "Manifest":
        """The manifest of a compiler whose recipe stands in `root`."""
        if compiler.commands is None:
            raise ValueError(f"{compiler.id} has no recipe")
        commands = compiler.commands
        return cls(
            id=compiler.id,
            root=str(root),
            version=version,
            stand_in=stand_in,
            file_name=compiler.file_name,
            sources=commands.sources,
            compile=commands.compile,
            run=commands.run,
            hot=commands.hot,
            env=dict(commands.env),
            libraries=tuple(libraries),
        )

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Raises ValueError, KeyError or TypeError when the text is no manifest."""
        fields = json.loads(text)
        for name in ("sources", "compile", "run"):
            fields[name] = None if fields[name] is None else tuple(fields[name])
        fields["libraries"] = tuple((name, version) for name, version in fields.get("libraries", ()))
        return cls(**fields)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


def _commands(table: dict[str, Any], env: Mapping[str, str]) -> Commands | None:
    if "recipe" not in table:
        return None
    compile_ = table.get("compile")
    return Commands(
        recipe=table["recipe"],
        recipe_with_libraries=table.get("recipe_with_libraries"),
        version=VersionProbe(tuple(table["version"]["command"]), table["version"]["pattern"]),
        libraries=tuple(table["libraries"]) if "libraries" in table else None,
        compile=tuple(compile_) if compile_ else None,
        run=tuple(table["run"]),
        sources=tuple(table["sources"]),
        hot=table.get("hot", False),
        env={**env, **table.get("env", {})},
    )


def load_compilers(path: Path = COMPILERS_TOML, kind: str = "compiler") -> dict[str, Compiler]:
    """The compilers of a file, or its tools (`kind` "tool"), by id, in its order. Raises KeyError when a table lacks a
    field."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    compilers = {}
    for table in data.get(kind, ()):
        compilers[table["id"]] = Compiler(
            id=table["id"],
            language=table["language"],
            name=table["name"],
            file_name=table["file_name"],
            editor_mode=table["editor_mode"],
            sample=table["sample"],
            stateful=table["stateful"],
            commands=_commands(table, data.get("env", {})),
        )
    return compilers


COMPILERS = load_compilers()
# Linters and formatters: installed as compilers are, but nobody's programs are run by them.
TOOLS = load_compilers(kind="tool")
TOOLCHAINS = {**COMPILERS, **TOOLS}


def manifests_dir(home: Path) -> Path:
    return home / "toolchains" / "compilers"


# Directory times move in steps of the kernel's tick: a second change within one step would go unseen, so what was
# changed only just now is not remembered yet.
_SETTLED_NS = 1_000_000_000
_read: dict[Path, tuple[int, dict[str, Manifest]]] = {}


def _manifests(home: Path) -> dict[str, Manifest]:
    """Every readable manifest whose root exists. Read again only when a file of the directory was replaced: each
    is written by a rename, which changes the directory's own time."""
    directory = manifests_dir(home)
    try:
        changed = directory.stat().st_mtime_ns
    except FileNotFoundError:
        return {}
    known = _read.get(directory)
    if known is not None and known[0] == changed:
        return known[1]
    found = {}
    for path in sorted(directory.glob("*.json")):
        try:
            manifest = Manifest.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if Path(manifest.root).is_dir():
            found[manifest.id] = manifest
    if time.time_ns() - changed > _SETTLED_NS:
        _read[directory] = (changed, found)
    return found


def installed(home: Path) -> dict[str, Manifest]:
    """The compilers that can run here now, by id, in the catalogue's order. Stand-ins are left out where
    RUNCODE_STAND_INS turns them off. Costs one stat when nothing has changed."""
    return _those_of(COMPILERS, home)


def installed_tools(home: Path) -> dict[str, Manifest]:
    """The same of the tools."""
    return _those_of(TOOLS, home)


def _those_of(catalogue: Iterable[str], home: Path) -> dict[str, Manifest]:
    manifests = _manifests(home)
    stand_ins = is_on("RUNCODE_STAND_INS", default=True)
    return {id_: manifests[id_] for id_ in catalogue if id_ in manifests and (stand_ins or not manifests[id_].stand_in)}
