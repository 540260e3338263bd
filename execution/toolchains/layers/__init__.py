"""The kinds of layer that a recipe's source is made of. `LAYERS` maps a recipe's `kind` to its class."""

from execution.toolchains.layers.archive import ArchiveLayer
from execution.toolchains.layers.base import Build, Layer
from execution.toolchains.layers.debian import DebianLayer
from execution.toolchains.layers.docker import DockerLayer
from execution.toolchains.layers.npm import NpmLayer
from execution.toolchains.layers.pypi import PypiLayer

LAYERS: dict[str, type[Layer]] = {
    "archive": ArchiveLayer,
    "debian": DebianLayer,
    "docker": DockerLayer,
    "npm": NpmLayer,
    "pypi": PypiLayer,
}

__all__ = ["LAYERS", "Build", "DebianLayer", "Layer"]
