"""What stands in static/console/: made from the sources as they are, and light until something needs more."""

import gzip
from pathlib import Path

from django.conf import settings

from tests.widgets import build

SOURCES = Path(settings.BASE_DIR) / "execution" / "console"
BUILT = Path(settings.BASE_DIR) / "static" / "console"


def test_it_is_what_the_sources_make(tmp_path: Path) -> None:
    workshop = build.workshop(tmp_path, SOURCES, "console-packages")
    build.run(workshop, "npm", "run", "types")
    build.run(workshop, "node", "build.mjs", str(tmp_path / "out"))
    made = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert made == {path.name: path.read_bytes() for path in BUILT.iterdir()}, "run `make frontend`"


def test_the_page_loads_little_before_something_is_shown() -> None:
    assert len(gzip.compress((BUILT / "console.js").read_bytes(), 9)) < 6_000


def test_the_lock_file_names_no_host() -> None:
    assert '"resolved"' not in (SOURCES / "package-lock.json").read_text(encoding="utf-8")
