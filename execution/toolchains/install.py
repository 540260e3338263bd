"""Install, remove, verify: what an operator does with toolchains."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from execution.catalogue import COMPILERS, Compiler, Manifest
from execution.environment import is_on
from execution.toolchains import build, digests, probe, seal, sharing
from execution.toolchains.errors import InstallFailed, SourceUnreachable, ToolchainError, UnknownCompiler
from execution.toolchains.layers.base import Build
from execution.toolchains.progress import Progress
from execution.toolchains.recipe import RECIPES, Recipe, Source, load_recipe
from execution.toolchains.store import Record, Store

MIB = 1 << 20


def chosen(ids: Iterable[str], catalogue: dict[str, Compiler]) -> list[Compiler]:
    """The compilers with these ids, each once. Raises UnknownCompiler."""
    found = {}
    for id_ in ids:
        if id_ not in catalogue:
            raise UnknownCompiler(f"there is no compiler {id_!r}; there are {', '.join(catalogue)}")
        found[id_] = catalogue[id_]
    return list(found.values())


@dataclass
class Installer:
    """The operations on the toolchains of one home. `catalogue` and `recipes` are the shipped ones but in tests."""

    store: Store
    progress: Progress
    catalogue: dict[str, Compiler]
    recipes: Path

    @classmethod
    def at(cls, home: Path, progress: Progress | None = None) -> "Installer":
        return cls(Store(home), progress or Progress(), COMPILERS, RECIPES)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        def waiting() -> None:
            self.progress.done("another installation is under way; waiting for it to end")

        with self.store.locked(waiting) as lock:
            yield lock

    # --- install ---

    def install(self, compilers: Sequence[Compiler], *, again: bool = False) -> list[str]:
        """Installs the compilers, recipe by recipe; those whose recipe is installed cost a few file reads. `again`
        builds anew from the same recipe, for newer packages. Returns a sentence for each recipe that failed."""
        failures = []
        by_recipe: dict[str, list[Compiler]] = {}
        for compiler in compilers:
            if compiler.recipe is None:
                failures.append(f"{compiler.id}: this version has no recipe for it")
            else:
                by_recipe.setdefault(compiler.recipe, []).append(compiler)
        with self._locked() as lock:
            self.store.sweep()
            for name, wanted in by_recipe.items():
                try:
                    self._install(load_recipe(name, self.recipes), wanted, lock, again)
                except ToolchainError as error:
                    failures.append(f"{', '.join(c.id for c in wanted)}: {error}")
            for root in self.store.sweep():
                self.progress.done(f"{root} is still in use by running sandboxes; the next installation removes it")
        return failures

    def _install(self, recipe: Recipe, wanted: list[Compiler], lock: int, again: bool) -> None:
        record = None if again else self.store.record_of(recipe)
        if record is not None and self._stands_in(record.stand_in, wanted):
            record = None
        fresh = record is None
        if record is None:
            record = self._build(recipe, self._with_installed(recipe, wanted), lock)
        record, changed = self._publish(record, self._with_installed(recipe, wanted))
        names = ", ".join(f"{c.id} {record.versions[c.id][1]}" for c in wanted)
        if fresh:
            self.progress.done(f"{names} installed from {record.source} ({record.size // MIB} MB)")
        else:
            self.progress.done(f"{names} " + ("brought up to date" if changed else "already installed"))

    def _with_installed(self, recipe: Recipe, wanted: list[Compiler]) -> list[Compiler]:
        """The wanted compilers and those of the same recipe that are installed: they move to the new root too, or
        the old one could never go."""
        present = self.store.manifests()
        return [c for c in self.catalogue.values() if c.recipe == recipe.name and (c in wanted or c.id in present)]

    @staticmethod
    def _stands_in(stand_in: Iterable[str], wanted: list[Compiler]) -> bool:
        """Whether a source is a stand-in for something wanted that may not be stood in for."""
        return not is_on("RUNCODE_STAND_INS", default=True) and any(c.id in stand_in for c in wanted)

    def _build(self, recipe: Recipe, compilers: list[Compiler], lock: int) -> Record:
        allowed = [source for source in recipe.sources if not self._stands_in(source.stand_in, compilers)]
        if not allowed:
            raise InstallFailed("only a near version is to be had, and RUNCODE_STAND_INS is off")
        reasons = []
        for source in build.first_reachable(allowed, self.store.home, recipe):
            try:
                return self._build_from(recipe, source, compilers, lock)
            except SourceUnreachable as error:
                reasons.append(str(error))
        raise SourceUnreachable("\n".join(reasons))

    def _build_from(self, recipe: Recipe, source: Source, compilers: list[Compiler], lock: int) -> Record:
        log = self.store.logs / f"{recipe.name}.log"
        log.unlink(missing_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=self.store.building, prefix=f"{recipe.name}-"))
        scratch.chmod(0o755)  # apt's own user, and a user namespace's ids, must get through
        under = Build(recipe.name, scratch / "root", scratch, self.store.home, log, self.progress, lock)
        under.root.mkdir(mode=0o755)
        try:
            record, listing = build.build(recipe, source, compilers, under)
            others = [(self.store.roots / other.root, self.store.listing(other)) for other in self.store.all_records()]
            sharing.share(under.root, listing, others)
            self._to_disk(under.root)
            self.store.publish_root(under.root, record, listing)
        finally:
            seal.delete(scratch)
        return record

    @staticmethod
    def _to_disk(root: Path) -> None:
        """The tree's data, before anything names it: a rename may reach the disk earlier than what it renames."""
        if shutil.which("sync"):
            subprocess.run(["sync", "-f", str(root)], check=False)

    def _publish(self, record: Record, compilers: list[Compiler]) -> tuple[Record, bool]:
        """Writes the manifests that differ, asking for versions that the record doesn't know."""
        root = self.store.roots / record.root
        versions = dict(record.versions)
        for compiler in compilers:
            if versions.get(compiler.id, [""])[0] != build.question(compiler):
                self.progress.show(record.recipe, "trying", compiler.id)
                versions[compiler.id] = [build.question(compiler), probe.version(root, compiler)]
                probe.greets(root, compiler)
        if versions != record.versions:
            record = replace(record, versions=versions)
            self.store.write_record(record)
        manifests = [
            Manifest.of(c, root=root, version=versions[c.id][1], stand_in=c.id in record.stand_in) for c in compilers
        ]
        written = [manifest for manifest in manifests if self.store.publish_manifest(manifest)]
        return record, bool(written)

    # --- remove ---

    def remove(self, compilers: Sequence[Compiler]) -> list[str]:
        """Makes compilers unavailable and deletes roots that nothing needs any more. Returns those that were not
        installed."""
        absent = []
        with self._locked():
            present = self.store.manifests()
            for compiler in compilers:
                if compiler.id in present:
                    self.store.retract_manifest(compiler.id)
                    self.progress.done(f"{compiler.id} removed")
                else:
                    absent.append(compiler.id)
            for root in self.store.sweep():
                self.progress.done(f"{root} is still in use by running sandboxes; the next installation removes it")
        return absent

    # --- verify ---

    def verify(self, compilers: Sequence[Compiler]) -> list[str]:
        """Compares the roots of the compilers with what was installed. Returns a sentence for each difference."""
        findings: list[str] = []
        present = self.store.manifests()
        roots: dict[str, list[str]] = {}
        for compiler in compilers:
            if compiler.id not in present:
                findings.append(f"{compiler.id} is not installed")
            else:
                roots.setdefault(present[compiler.id].root, []).append(compiler.id)
        for root, ids in roots.items():
            record = self.store.record_at(root)
            if record is None:
                findings.append(f"{', '.join(ids)}: {root} or its record is missing; install again")
                continue
            found = self._verify_root(Path(root), record)
            findings += [f"{record.root}: {sentence}" for sentence in found]
            if not found:
                self.progress.done(f"{', '.join(ids)} unchanged ({record.root})")
        return findings

    def _verify_root(self, root: Path, record: Record) -> list[str]:
        def seen(fraction: float) -> None:
            self.progress.show(record.root, "verifying", fraction=fraction)

        return list(digests.differences(root, self.store.listing(record), seen))
