"""A recipe: the folder `recipes/<name>/` with a recipe.toml and, optionally, `files/` to copy into the root.

A recipe names one or more sources, the best first; the first that this machine can reach is used. A source is
one or more layers, unpacked over each other:

    [[source]]
    stand_in = ["ruby-4.0"]                 # ids for which this source has only a near version
    remove = ["usr/bin/*-lto-dump-*"]       # globs of what nobody needs
    prepare = [["/usr/bin/tool", "--warm"]] # commands run inside the new root, without a network
    [source.links]                          # symbolic links to add
    "/usr/local/bin/ruby" = "/usr/bin/ruby3.4"
    [source.takes.pypi]                     # how the operator's packages of a kind are installed: a layer's options
    python = "3.14"
    into = "/usr/local/lib/python3.14/dist-packages"
    [[source.layer]]
    kind = "debian"                         # debian | docker | npm | pypi | archive; the rest is the kind's own

`optional = true` at the top: `install --all` goes on without the recipe where no source of it can be used.
"""

import hashlib
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from execution.toolchains.errors import RecipeInvalid, SettingsInvalid
from execution.toolchains.layers import LAYERS, DebianLayer, Layer
from execution.toolchains.packages import FILE, Packages

RECIPES = Path(__file__).with_name("recipes")

NO_PACKAGES = Packages()

# Part of every recipe's digest: raise it when the same recipe would give another root than before.
FORMAT = 1


@dataclass(frozen=True)
class Source:
    """One way to get a recipe's root: its layers, and what is done to the unpacked tree."""

    layers: tuple[Layer, ...]
    stand_in: frozenset[str] = frozenset()
    remove: tuple[str, ...] = ()
    prepare: tuple[tuple[str, ...], ...] = ()
    links: Mapping[str, str] | None = None
    takes: Mapping[str, Mapping[str, Any]] | None = None

    @property
    def name(self) -> str:
        return " + ".join(layer.name for layer in self.layers)

    def with_packages(self, packages: Packages, folder: Path) -> "Source | None":
        """This source with further packages; None when it cannot take them. Raises RecipeInvalid for a wrong name."""
        layers = list(self.layers)
        for kind, names in packages.by_kind:
            options = (self.takes or {}).get(kind)
            if kind == "debian" and isinstance(layers[0], DebianLayer):
                layers[0] = replace(layers[0], packages=(*layers[0].packages, *names))
            elif options is not None:
                layers.append(LAYERS[kind].from_table({**options, "packages": list(names)}, folder))
            else:
                return None
        return replace(self, layers=tuple(layers))


@dataclass(frozen=True)
class Recipe:
    """A recipe folder. `digest` changes whenever anything in the folder does, or the operator's packages do."""

    name: str
    folder: Path
    summary: str
    sources: tuple[Source, ...]
    digest: str
    optional: bool = False


def _layer(table: dict[str, Any], folder: Path) -> Layer:
    options = dict(table)
    kind = options.pop("kind", None)
    if kind not in LAYERS:
        raise RecipeInvalid(f"layer kind {kind!r}: one of {', '.join(LAYERS)} is needed")
    return LAYERS[kind].from_table(options, folder)


def _source(table: dict[str, Any], folder: Path) -> Source:
    unknown = table.keys() - {"layer", "stand_in", "remove", "prepare", "links", "takes"}
    if unknown:
        raise RecipeInvalid(f"unknown in a source: {', '.join(sorted(unknown))}")
    layers = tuple(_layer(layer, folder) for layer in table.get("layer", ()))
    if not layers:
        raise RecipeInvalid("a source without a layer")
    return Source(
        layers=layers,
        stand_in=frozenset(table.get("stand_in", ())),
        remove=tuple(table.get("remove", ())),
        prepare=tuple(tuple(command) for command in table.get("prepare", ())),
        links=dict(table.get("links", {})),
        takes=dict(table.get("takes", {})),
    )


def _digest(folder: Path, packages: Packages) -> str:
    """SHA-256 over the folder (every path with its executable bit and its content or link target) and the packages."""
    digest = hashlib.sha256(f"format {FORMAT}\0".encode())
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            continue
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        kind = "link" if path.is_symlink() else "run" if mode & 0o100 else "file"
        digest.update(f"{path.relative_to(folder)}\0{kind}\0{len(content)}\0".encode() + content)
    if packages:
        digest.update(repr(packages.by_kind).encode())
    return digest.hexdigest()


def load_recipe(name: str, recipes: Path = RECIPES, packages: Packages = NO_PACKAGES) -> Recipe:
    """Reads `recipes/<name>/` and adds the operator's packages. Raises RecipeInvalid when there is no such folder, its
    recipe.toml is wrong, or no source of it takes such packages."""
    folder = recipes / name
    path = folder / "recipe.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeInvalid(f"there is no recipe {name!r}: {path} does not exist") from None
    except tomllib.TOMLDecodeError as error:
        raise RecipeInvalid(f"{path}: {error}") from None
    try:
        sources = tuple(_source(table, folder) for table in data.get("source", ()))
    except (RecipeInvalid, TypeError, KeyError) as error:
        raise RecipeInvalid(f"{path}: {error}") from None
    if not sources:
        raise RecipeInvalid(f"{path}: names no source")
    if packages:
        sources = _with_packages(name, sources, packages, folder)
    return Recipe(
        name, folder, data.get("summary", ""), sources, _digest(folder, packages), bool(data.get("optional", False))
    )


def _with_packages(name: str, sources: tuple[Source, ...], packages: Packages, folder: Path) -> tuple[Source, ...]:
    """The sources that take such packages, with them."""
    try:
        able = tuple(more for source in sources if (more := source.with_packages(packages, folder)))
    except RecipeInvalid as error:
        raise SettingsInvalid(f"{FILE}: {error}") from None
    if not able:
        kinds = " and ".join(kind for kind, _ in packages.by_kind)
        raise SettingsInvalid(f"{FILE}: no source of the recipe {name} takes packages of {kinds}")
    return able
