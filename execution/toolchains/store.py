"""RUNCODE_HOME/toolchains: what is installed.

    roots/<recipe>-<digest>/            a sealed root file system; the digest is its content's
    records/<recipe>-<digest>.json      how it came to be (`Record`)
    records/<recipe>-<digest>.digests   its content (digests.py)
    compilers/<id>.json                 a compiler that can run, and in which root (catalogue.Manifest)
    building/                           unfinished; swept by the next installation
    downloads/                          fetched for an installation that has not ended well yet
    logs/<recipe>.log                   what apt and the others said
    lock                                held by whoever changes anything here

A root comes into being by one rename, after its record; a compiler changes over by another. So a crash at any
moment leaves what was there before, or what was to come, and never something between.
"""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from execution.catalogue import Manifest, manifests_dir
from execution.toolchains import digests, seal
from execution.toolchains.downloads import Downloads
from execution.toolchains.errors import InstallFailed
from execution.toolchains.recipe import Recipe


@dataclass(frozen=True)
class Record:
    """How a root came to be. `versions` maps a compiler to `[the question it was asked, the version it printed]` and
    `libraries` to `[the question, its libraries as [name, version]]`: a question that compilers.toml has changed since
    is asked anew."""

    root: str
    recipe: str
    recipe_digest: str
    source: str
    contents: str
    stand_in: list[str]
    versions: Mapping[str, list[str]]
    size: int
    libraries: Mapping[str, list[Any]] = field(default_factory=dict)


def _write(path: Path, text: str) -> None:
    """Replaces a file as a whole: readers see the old text or the new, also after a power cut."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - mkstemp gives a string
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class Store:
    """The toolchains of one RUNCODE_HOME. Reading needs no lock; everything that writes is called within `locked`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.directory = home / "toolchains"
        self.roots = self.directory / "roots"
        self.records = self.directory / "records"
        self.compilers = manifests_dir(home)
        self.building = self.directory / "building"
        self.logs = self.directory / "logs"
        self.downloads = Downloads(self.directory / "downloads")

    # --- The lock ---

    @contextlib.contextmanager
    def locked(self, waiting: Callable[[], None]) -> Iterator[int]:
        """Holds the lock; `waiting` is called once if somebody else has it. Gives the lock's descriptor: programs that
        inherit it hold the lock with us, so that those which outlive a killed installer are waited for."""
        for directory in (self.roots, self.records, self.compilers, self.building, self.logs):
            directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    # --- Reading ---

    def manifests(self) -> dict[str, Manifest]:
        """The manifests on disk, by compiler, those of stand-ins and of missing roots included."""
        found = {}
        for path in sorted(self.compilers.glob("[!.]*.json")):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                manifest = Manifest.from_json(path.read_text(encoding="utf-8"))
                found[manifest.id] = manifest
        return found

    def all_records(self) -> list[Record]:
        """The records of roots that are there, the newest first. One without its root is from an installation that
        was cut off just before its end."""
        found = []
        for path in sorted(self.records.glob("[!.]*.json"), key=lambda path: -path.stat().st_mtime_ns):
            with contextlib.suppress(ValueError, TypeError):
                record = Record(**json.loads(path.read_text(encoding="utf-8")))
                if (self.roots / record.root).is_dir():
                    found.append(record)
        return found

    def record_of(self, recipe: Recipe) -> Record | None:
        """The newest root that this very recipe gave, if one is installed."""
        wanted = (recipe.name, recipe.digest)
        return next((r for r in self.all_records() if (r.recipe, r.recipe_digest) == wanted), None)

    def record_at(self, root: str) -> Record | None:
        return next((record for record in self.all_records() if record.root == Path(root).name), None)

    def listing(self, record: Record) -> str:
        return (self.records / f"{record.root}.digests").read_text(encoding="utf-8")

    # --- Writing ---

    def write_record(self, record: Record) -> None:
        _write(self.records / f"{record.root}.json", json.dumps(asdict(record), indent=2) + "\n")

    def publish_root(self, tree: Path, record: Record, listing: str) -> None:
        """Puts a finished tree at its place, with its record."""
        _write(self.records / f"{record.root}.digests", listing)
        self.write_record(record)
        target = self.roots / record.root
        if target.exists():
            return  # the same content is there already
        tree.rename(target)

    def publish_manifest(self, manifest: Manifest) -> bool:
        """Makes a compiler available, or changes it over to another root. False when it says so already."""
        path = self.compilers / f"{manifest.id}.json"
        text = manifest.to_json()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return False
        _write(path, text)
        return True

    def retract_manifest(self, compiler: str) -> None:
        (self.compilers / f"{compiler}.json").unlink(missing_ok=True)

    def sweep(self) -> list[str]:
        """Removes what cut-off installations left and the roots that no compiler names. A root that a running sandbox
        still stands in stays until the next sweep; the names of such are returned."""
        for path in self.building.iterdir():
            _refuse_mounts(path)
            self.downloads.keep_debs(path / "root")
            seal.delete(path)
        named = {Path(manifest.root).name for manifest in self.manifests().values()}
        kept = []
        mounted = _mounted_names()
        for path in self.roots.iterdir():
            if path.name in named:
                continue
            if path.name in mounted:
                kept.append(path.name)
                continue
            _refuse_mounts(path)
            # Out of its place first: a removal that is cut off must not leave half a root with a valid name.
            doomed = self.building / path.name
            path.rename(doomed)
            seal.delete(doomed)
        for path in self.records.iterdir():
            if not (self.roots / path.name.removesuffix(".json").removesuffix(".digests")).is_dir():
                path.unlink()
        return kept


def _mounted_names() -> set[str]:
    """The last path parts of what any process on this host has mounted: field 4 of mountinfo (proc(5)) is what a bind
    mount shows, as a path from the top of its file system. That may be mounted anywhere, so only names compare."""
    found: set[str] = set()
    for path in Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):  # ended meanwhile, or somebody else's
            found.update(
                line.split(" ")[3].rpartition("/")[2] for line in path.read_text(errors="replace").splitlines()
            )
    return found


def _refuse_mounts(path: Path) -> None:
    """Never delete through a mount: mmdebstrap keeps its own in a namespace of its own, but a tree in which something
    is mounted for us to see would take the host's files with it."""
    prefix = str(path.resolve()) + "/"
    for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines():
        point = line.split(" ")[4]
        if point.startswith(prefix):
            raise InstallFailed(f"{point} is mounted inside {path}: unmount it (umount -R {point}), then try again")


def digest_name(recipe: Recipe, listing: str) -> str:
    """The name of a root."""
    return f"{recipe.name}-{digests.name_of(listing)[:12]}"
