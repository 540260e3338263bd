"""What stands in static/widget/: made from the sources as they are, and light enough for other people's pages."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings

from execution.catalogue import COMPILERS
from tests.widgets import build

BUILT = Path(settings.BASE_DIR) / "static" / "widget"
SOURCES = build.FRONTEND / "src"
MOST_BYTES = 150_000


def text(name: str) -> str:
    return (BUILT / name).read_text(encoding="utf-8")


def weight(names: set[str]) -> int:
    """Bytes on the way to the browser."""
    return sum(len(gzip.compress((BUILT / name).read_bytes(), 9)) for name in names)


def with_imports(name: str) -> set[str]:
    """A module and all that it imports, and they import, before it can start."""
    found = {name}
    for other in re.findall(r'(?:from|import)"\./([^"]+)"', text(name)):
        found |= with_imports(other)
    return found


def main() -> str:
    (name,) = re.findall(r"static/widget/(main-[A-Z0-9]{8}\.js)", text("widget.js"))
    return name


def languages() -> list[str]:
    """The chunks of which one is loaded when a language is chosen."""
    return sorted(set(re.findall(r'import\("\./([^"]+)"\)', text(main()))))


def test_it_is_what_the_sources_make(tmp_path: Path) -> None:
    workshop = build.workshop(tmp_path)
    build.run(workshop, "npm", "run", "types")
    build.run(workshop, "node", "build.mjs", str(tmp_path / "out"))
    made = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    kept = {path.name: path.read_bytes() for path in BUILT.iterdir()}
    assert made.keys() == kept.keys(), "run `make frontend`"
    assert made == kept, "run `make frontend`"


def test_every_file_is_needed() -> None:
    needed = {"widget.js"} | with_imports(main())
    for language in languages():
        needed |= with_imports(language)
    assert needed == {path.name for path in BUILT.iterdir()}


@pytest.mark.parametrize("language", languages())
def test_an_editor_loads_little_in_any_language(language: str) -> None:
    assert weight({"widget.js"} | with_imports(main()) | with_imports(language)) < MOST_BYTES


def test_a_page_without_an_editor_loads_the_loader_alone() -> None:
    assert weight({"widget.js"}) < 2_000


def test_the_loader_names_its_version() -> None:
    version = re.search(r'"version": "([\d.]+)"', (build.FRONTEND / "package.json").read_text(encoding="utf-8"))
    assert version
    assert text("widget.js").startswith(f"/*! Runcode widget {version[1]} */")
    assert f'version:"{version[1]}"' in text("widget.js")


def test_every_compiler_has_highlighting() -> None:
    modes = set(re.findall(r"^  (\w+): async", (SOURCES / "modes.ts").read_text(encoding="utf-8"), re.MULTILINE))
    assert {compiler.editor_mode for compiler in COMPILERS.values()} == modes


def test_the_lock_file_names_no_host() -> None:
    """Packages come from wherever the client is set to take them."""
    lock = (build.FRONTEND / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') > 30
