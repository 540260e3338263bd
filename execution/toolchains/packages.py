"""RUNCODE_HOME/toolchains.toml: packages that the operator adds to compilers.

    ["python-3.14"]
    pypi = ["polars==1.30.0"]       # exact versions; what they depend on comes along
    debian = ["libpq5"]             # as apt takes them

    [node]
    npm = ["left-pad@1.3.0"]        # exact versions

They become part of the recipe that the compiler is installed from, so that a change makes the next `install` build
it anew.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from execution.catalogue import Compiler
from execution.toolchains.errors import SettingsInvalid

FILE = "toolchains.toml"
KINDS = ("debian", "npm", "pypi")


@dataclass(frozen=True)
class Packages:
    """Names of packages by the kind of layer that takes them: a subset of `KINDS`, without empty ones."""

    by_kind: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.by_kind)

    def __add__(self, other: "Packages") -> "Packages":
        merged: dict[str, dict[str, None]] = {}
        for kind, names in (*self.by_kind, *other.by_kind):
            merged.setdefault(kind, {}).update(dict.fromkeys(names))
        return Packages(tuple((kind, tuple(merged[kind])) for kind in sorted(merged)))


def load_packages(home: Path, catalogue: Mapping[str, Compiler]) -> dict[str, Packages]:
    """The packages of each compiler that the file names. Raises SettingsInvalid with the place in the file."""
    path = home / FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path}: {error}") from None
    found = {}
    for id_, table in data.items():
        if id_ not in catalogue:
            raise SettingsInvalid(f'{path}: there is no compiler "{id_}"; there are {", ".join(catalogue)}')
        if not isinstance(table, dict):
            raise SettingsInvalid(f'{path}: "{id_}" must be a table, as in ["{id_}"]')
        for kind, names in table.items():
            if kind not in KINDS:
                raise SettingsInvalid(f'{path}: ["{id_}"] has {kind!r}; {", ".join(KINDS)} can be given')
            if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
                raise SettingsInvalid(f'{path}: ["{id_}"] {kind} must be a list of names')
        by_kind = tuple((kind, tuple(table[kind])) for kind in sorted(table) if table[kind])
        found[id_] = Packages(by_kind)
    return found
