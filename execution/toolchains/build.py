"""Builds a recipe's root: unpacks the layers of one source, furnishes the tree, seals it and asks it who it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from execution.catalogue import Compiler
from execution.toolchains import command, digests, probe, seal
from execution.toolchains.errors import SourceUnreachable
from execution.toolchains.layers.base import Build
from execution.toolchains.recipe import Recipe, Source
from execution.toolchains.store import Record, digest_name

PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def question(compiler: Compiler) -> str:
    """What a version in a record was the answer to."""
    version = compiler.commands.version if compiler.commands else None
    return f"{' '.join(version.command)} | {version.pattern}" if version else ""


def question_of_libraries(compiler: Compiler) -> str:
    """The same for its libraries."""
    return " ".join(compiler.commands.libraries or ()) if compiler.commands else ""


def interview(compiler: Compiler, root: Path) -> tuple[list[str], list[Any]]:
    """What a record keeps of a compiler, its version and its libraries, both with their questions; it has to greet the
    world too. Raises InstallFailed."""
    version = [question(compiler), probe.version(root, compiler)]
    libraries = [question_of_libraries(compiler), probe.libraries(root, compiler)]
    probe.greets(root, compiler)
    return version, libraries


def unreachable(source: Source, home: Path) -> str | None:
    """Why this machine cannot use a source: the first of its layers' reasons; None when it can."""
    return next((f"{layer.name}: {why}" for layer in source.layers if (why := layer.unreachable(home))), None)


def first_reachable(sources: Sequence[Source], home: Path, recipe: Recipe) -> list[Source]:
    """The sources worth trying, in the recipe's order. Raises SourceUnreachable with every reason when none is."""
    reasons = {source.name: unreachable(source, home) for source in sources}
    usable = [source for source in sources if reasons[source.name] is None]
    if not usable:
        text = "\n".join(f"  - {why}" for why in reasons.values())
        raise SourceUnreachable(f"no source of the recipe {recipe.name} can be used here:\n{text}")
    return usable


def build(recipe: Recipe, source: Source, compilers: Sequence[Compiler], under: Build) -> tuple[Record, str]:
    """Builds `under.root` from `source` and checks that each of `compilers` tells its version and greets the world.
    Returns the record and the digest listing. Raises SourceUnreachable or InstallFailed; the caller owns the scratch
    directory and removes it."""
    contents = [layer.unpack(under) for layer in source.layers]
    under.show("trimming", fraction=0.86)
    seal.furnish(under.root, recipe.folder, source)
    for argv in source.prepare:
        under.show("preparing", argv[-1], 0.88)
        command.follow(
            probe.inside(under.root, argv, env=PATH, writable=True),
            lambda line: under.show("preparing", line, 0.88),
            log=under.log,
            keep=under.lock,
        )
    under.show("sealing", fraction=0.92)
    seal.seal(under.root)
    versions, libraries = {}, {}
    for compiler in compilers:
        under.show("trying", compiler.id, 0.94)
        versions[compiler.id], libraries[compiler.id] = interview(compiler, under.root)
    under.show("taking digests", fraction=0.97)
    listing = digests.take(under.root)
    record = Record(
        root=digest_name(recipe, listing),
        recipe=recipe.name,
        recipe_digest=recipe.digest,
        source=source.name,
        contents="; ".join(contents),
        stand_in=sorted(source.stand_in),
        versions=versions,
        libraries=libraries,
        size=sum(path.lstat().st_blocks * 512 for path in seal.walk(under.root)),
    )
    return record, listing
