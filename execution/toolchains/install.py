"""Install, remove, verify: what an operator does with toolchains."""

import contextlib
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from execution.catalogue import TOOLCHAINS, Compiler, Manifest
from execution.environment import is_on
from execution.toolchains import build, digests, seal, sharing, together
from execution.toolchains.errors import InstallFailed, SourceUnreachable, UnknownCompiler
from execution.toolchains.layers.base import Build
from execution.toolchains.packages import Packages, load_packages
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
    # Roots are compared with one another, and put in their places, one at a time.
    _publishing: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def at(cls, home: Path, progress: Progress | None = None) -> "Installer":
        return cls(Store(home), progress or Progress(), TOOLCHAINS, RECIPES)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        def waiting() -> None:
            self.progress.done("another installation is under way; waiting for it to end")

        with self.store.locked(waiting) as lock:
            yield lock

    # --- install ---

    def install(
        self,
        compilers: Sequence[Compiler],
        *,
        again: bool = False,
        libraries: bool = False,
        leave_out_optional: bool = False,
    ) -> list[str]:
        """Installs the compilers, several recipes at a time; those whose recipe is installed cost a few file reads.

        `again` builds anew from the same recipe, for newer packages. `libraries` takes the recipe that has them, where
        a compiler has two. `leave_out_optional` goes on without an optional recipe that has no source here. Returns a
        sentence for each recipe that failed.
        """
        failures = [f"{c.id}: this version has no recipe for it" for c in compilers if c.recipe is None]
        packages = load_packages(self.store.home, self.catalogue)
        by_recipe: dict[str, list[Compiler]] = {}
        for compiler in compilers:
            if name := self._recipe_of(compiler, libraries):
                by_recipe.setdefault(name, []).append(compiler)
        with self._locked() as lock:
            self.store.downloads.prepare()
            self.store.sweep()
            work = {
                name: partial(self._install, name, wanted, packages, lock, again) for name, wanted in by_recipe.items()
            }
            for name, error in together.each(work).items():
                ids = ", ".join(compiler.id for compiler in by_recipe[name])
                if leave_out_optional and isinstance(error, SourceUnreachable) and self._is_optional(name):
                    self.progress.done(f"{ids} left out: {error}", name)
                else:
                    failures.append(f"{ids}: {error}")
            for root in self.store.sweep():
                self.progress.done(f"{root} is still in use by running sandboxes; the next installation removes it")
            if not failures:
                self.store.downloads.clear()
        return failures

    def _recipe_of(self, compiler: Compiler, libraries: bool) -> str | None:
        """The name of the recipe to use. Libraries that are installed are never taken away by an update."""
        manifest = self.store.manifests().get(compiler.id)
        record = self.store.record_at(manifest.root) if manifest else None
        has_them = record is not None and record.recipe == compiler.recipe_with_libraries
        return compiler.recipe_with_libraries if libraries or has_them else compiler.recipe

    def _is_optional(self, recipe: str) -> bool:
        return load_recipe(recipe, self.recipes).optional

    def _install(
        self, name: str, wanted: list[Compiler], packages: dict[str, Packages], lock: int, again: bool
    ) -> None:
        affected = self._with_installed(name, wanted)
        further = sum((packages.get(compiler.id, Packages()) for compiler in affected), Packages())
        recipe = load_recipe(name, self.recipes, further)
        record = None if again else self.store.record_of(recipe)
        if record is not None and self._stands_in(record.stand_in, wanted):
            record = None
        fresh = record is None
        if record is None:
            record = self._build(recipe, affected, lock)
        record, changed = self._publish(record, affected)
        names = ", ".join(f"{c.id} {record.versions[c.id][1]}" for c in wanted)
        if fresh:
            self.progress.done(f"{names} installed from {record.source} ({record.size // MIB} MB)", name)
        else:
            self.progress.done(f"{names} " + ("brought up to date" if changed else "already installed"), name)

    def _with_installed(self, recipe: str, wanted: list[Compiler]) -> list[Compiler]:
        """The wanted compilers and those that are installed from the same recipe: they move to the new root too, or
        the old one could never go."""
        ids = {compiler.id for compiler in wanted}
        for manifest in self.store.manifests().values():
            record = self.store.record_at(manifest.root)
            if record is not None and record.recipe == recipe:
                ids.add(manifest.id)
        return [compiler for compiler in self.catalogue.values() if compiler.id in ids]

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
        downloads = self.store.downloads
        under = Build(recipe.name, scratch / "root", scratch, self.store.home, downloads, log, self.progress, lock)
        under.root.mkdir(mode=0o755)
        try:
            record, listing = build.build(recipe, source, compilers, under)
            self._to_disk(under.root)
            with self._publishing:
                records = self.store.all_records()
                others = [(self.store.roots / other.root, self.store.listing(other)) for other in records]
                sharing.share(under.root, listing, others)
                self.store.publish_root(under.root, record, listing)
        finally:
            downloads.keep_debs(under.root)
            seal.delete(scratch)
        return record

    @staticmethod
    def _to_disk(root: Path) -> None:
        """The tree's data, before anything names it: a rename may reach the disk earlier than what it renames."""
        if shutil.which("sync"):
            subprocess.run(["sync", "-f", str(root)], check=False)

    def _publish(self, record: Record, compilers: list[Compiler]) -> tuple[Record, bool]:
        """Writes the manifests that differ, asking for versions and libraries that the record doesn't know."""
        root = self.store.roots / record.root
        versions, libraries = dict(record.versions), dict(record.libraries)
        for compiler in compilers:
            # A record of before libraries were asked for has nothing on them.
            libraries.setdefault(compiler.id, ["", []])
            known = [answers.get(compiler.id, [""])[0] for answers in (versions, libraries)]
            if known != [build.question(compiler), build.question_of_libraries(compiler)]:
                self.progress.show(record.recipe, "trying", compiler.id)
                versions[compiler.id], libraries[compiler.id] = build.interview(compiler, root)
        if (versions, libraries) != (record.versions, record.libraries):
            record = replace(record, versions=versions, libraries=libraries)
            self.store.write_record(record)
        written = False
        for compiler in compilers:
            manifest = Manifest.of(
                compiler,
                root=root,
                version=versions[compiler.id][1],
                stand_in=compiler.id in record.stand_in,
                libraries=((name, version) for name, version in libraries[compiler.id][1]),
            )
            written |= self.store.publish_manifest(manifest)
        return record, written

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
