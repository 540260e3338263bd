"""What every kind of layer can do, and what it is given to do it with."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from execution.toolchains.downloads import Downloads
from execution.toolchains.errors import RecipeInvalid
from execution.toolchains.progress import Progress


@dataclass(frozen=True)
class Build:
    """One installation under way. `root` is the tree that grows, `scratch` a directory that is removed afterwards,
    `downloads` what is shared with other recipes, `log` where long outputs go, `lock` the descriptor to hand to
    long-running programs."""

    recipe: str
    root: Path
    scratch: Path
    home: Path
    downloads: Downloads
    log: Path
    progress: Progress
    lock: int | None = None

    def show(self, phase: str, detail: str = "", fraction: float | None = None) -> None:
        self.progress.show(self.recipe, phase, detail, fraction)


class Layer(Protocol):
    """A part of a source. The installer calls `unreachable` of all layers first, then `unpack` in order."""

    kind: ClassVar[str]

    @classmethod
    def from_table(cls, table: dict[str, Any], folder: Path) -> "Layer":
        """From the options of a recipe's table (without `kind`). Raises RecipeInvalid."""

    @property
    def name(self) -> str:
        """For people, such as `Debian sid`."""

    def unreachable(self, home: Path) -> str | None:
        """Why this machine cannot use the layer, with the remedy; None when it can, as far as a quick look tells."""

    def unpack(self, build: Build) -> str:
        """Unpacks into `build.root` and returns what exactly it was (a digest, versions), for the record.
        Raises SourceUnreachable when the network refuses after all, InstallFailed for anything else."""


def take(table: dict[str, Any], required: dict[str, type], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """The checked options of a layer: those in `required` must be there with that type, those in `optional` have
    the default given, nothing else may be there."""
    optional = optional or {}
    missing = required.keys() - table.keys()
    unknown = table.keys() - required.keys() - optional.keys()
    if missing or unknown:
        raise RecipeInvalid(f"layer: missing {sorted(missing)}, unknown {sorted(unknown)}")
    taken = {**optional, **table}
    for option, type_ in {**required, **{name: type(value) for name, value in optional.items()}}.items():
        if not isinstance(taken[option], type_):
            raise RecipeInvalid(f"layer: {option} must be of type {type_.__name__}")
    return taken


def inside(root: Path, path: str) -> Path:
    """The directory `path` of the new root, made if needed. Raises RecipeInvalid when it would lie outside."""
    target = root / path.lstrip("/")
    if ".." in Path(path).parts or not os.path.realpath(target).startswith(os.path.realpath(root)):
        raise RecipeInvalid(f"{path} leaves the root")
    target.mkdir(parents=True, exist_ok=True)
    return target
