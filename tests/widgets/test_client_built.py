"""The client of the ReplitClient protocol as it is built and packed: from its sources, tiny, typed."""

import gzip
import json
import shutil
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from tests.server import Service
from tests.widgets import build

SOURCES = Path(settings.BASE_DIR) / "widgets" / "client"
BUILT = Path(settings.BASE_DIR) / "static" / "lib" / "api.js"
MOST_BYTES = 4_000

CONSUMER = """
import ReplitClient, { type Result } from "runcode-client";
const repl = new ReplitClient("localhost", 80, "ruby", { time_created: 1, msg_mac: "m" }, null, { timeout: 5 });
export const answer: Promise<Result> = repl.evaluate("1", { stdout: (text: string) => console.log(text) });
export const stack: Promise<number> = repl.debug("x").step().then(({ stack }) => stack.length);
// @ts-expect-error there is no such method
repl.compile();
"""
REQUIRING = """
import ReplitClient = require("runcode-client");
const repl: ReplitClient = new ReplitClient("localhost", "80", "go", "token");
export const report: Promise<ReplitClient.TestReport> = repl.runUnitTests({ files: [], suiteCode: "" });
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    return build.workshop(tmp_path, SOURCES, "client-packages")


@pytest.fixture
def installed(workshop: Path, tmp_path: Path) -> Path:
    """A project that has installed the package, as it would be published."""
    build.run(workshop, "npm", "pack", "--pack-destination", str(tmp_path))
    (packed,) = tmp_path.glob("runcode-client-*.tgz")
    project = tmp_path / "project"
    unpacked = project / "node_modules" / "runcode-client"
    unpacked.parent.mkdir(parents=True)
    shutil.unpack_archive(packed, tmp_path / "unpacked")
    (tmp_path / "unpacked" / "package").rename(unpacked)
    return project


def test_it_is_what_the_sources_make(workshop: Path, tmp_path: Path) -> None:
    build.run(workshop, "npm", "run", "types")
    build.run(workshop, "node", "build.mjs", str(tmp_path / "out"))
    assert (tmp_path / "out" / "api.js").read_bytes() == BUILT.read_bytes(), "run `make frontend`"


def test_it_is_tiny() -> None:
    assert len(gzip.compress(BUILT.read_bytes(), 9)) < MOST_BYTES


def test_the_lock_file_names_no_host() -> None:
    assert '"resolved"' not in (SOURCES / "package-lock.json").read_text(encoding="utf-8")


def test_the_package_holds_what_it_names(installed: Path) -> None:
    package = installed / "node_modules" / "runcode-client"
    manifest = json.loads((package / "package.json").read_text(encoding="utf-8"))
    ways = manifest["exports"]["."]
    named = {manifest["main"], manifest["module"], manifest["types"], manifest["unpkg"]}
    for way in ways.values():
        named |= set(way.values())
    assert {str(path.relative_to(package)) for path in (package / "dist").iterdir()} == {
        name.removeprefix("./") for name in named
    }
    assert (package / "README.md").is_file()
    assert (package / "dist" / "api.js").read_bytes() == BUILT.read_bytes()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("load.mjs", 'import R, { ReplitClient } from "runcode-client"; console.log(R === ReplitClient, R.name)'),
        (
            "load.cjs",
            'const R = require("runcode-client"); console.log(R === R.ReplitClient, R.name)',
        ),
    ],
)
def test_both_kinds_of_module_load_it(installed: Path, name: str, text: str) -> None:
    (installed / name).write_text(text, encoding="utf-8")
    assert build.run(installed, "node", name).startswith("true ")


@pytest.mark.parametrize(("name", "text"), [("use.mts", CONSUMER), ("use.cts", REQUIRING)])
def test_it_is_typed_for_both(workshop: Path, installed: Path, name: str, text: str) -> None:
    (installed / name).write_text(text, encoding="utf-8")
    options = ("--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom")
    build.run(installed, str(workshop / "node_modules" / ".bin" / "tsc"), *options, name)


def test_any_page_may_load_it(service: Service) -> None:
    answer = httpx.get(f"{service.url}/lib/api.js", headers={"Origin": "https://example.com"})
    assert answer.status_code == 200
    assert answer.content == BUILT.read_bytes()
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "max-age=300" in answer.headers["Cache-Control"]
    again = httpx.get(f"{service.url}/lib/api.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
