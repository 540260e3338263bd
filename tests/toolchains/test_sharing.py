"""Equal files of several roots are one file on the disk."""

import os
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from execution.toolchains import digests
from execution.toolchains.sharing import SMALLEST, share
from tests.toolchains.conftest import Workshop

LARGE = b"x" * SMALLEST


def _tree(path: Path, files: dict[str, tuple[bytes, int, int]]) -> tuple[Path, str]:
    """A tree of files (content, mode, time) and its listing."""
    for name, (content, mode, time) in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode)
        os.utime(file, (time, time))
    for directory in path.rglob("*/"):
        directory.chmod(0o555)
    return path, digests.take(path)


def _linked(a: Path, b: Path) -> bool:
    return a.stat().st_ino == b.stat().st_ino


def test_equal_files_become_one(tmp_path: Path) -> None:
    other = _tree(tmp_path / "a", {"lib/base": (LARGE, 0o444, 1000)})
    tree, listing = _tree(tmp_path / "b", {"opt/lib/same": (LARGE, 0o444, 1000)})

    assert share(tree, listing, [other]) == SMALLEST
    assert _linked(other[0] / "lib/base", tree / "opt/lib/same")
    assert list(digests.differences(tree, listing)) == []
    assert list(digests.differences(*other)) == []


@pytest.mark.parametrize(
    "different",
    [
        (b"y" * SMALLEST, 0o444, 1000),
        (LARGE, 0o555, 1000),
        (LARGE, 0o444, 2000),
    ],
    ids=["content", "mode", "time"],
)
def test_files_that_differ_in_anything_stay_apart(tmp_path: Path, different: tuple[bytes, int, int]) -> None:
    other = _tree(tmp_path / "a", {"file": (LARGE, 0o444, 1000)})
    tree, listing = _tree(tmp_path / "b", {"file": different})

    assert share(tree, listing, [other]) == 0
    assert not _linked(other[0] / "file", tree / "file")


def test_small_files_are_left_alone(tmp_path: Path) -> None:
    small = (LARGE[1:], 0o444, 1000)
    other = _tree(tmp_path / "a", {"file": small})
    tree, listing = _tree(tmp_path / "b", {"file": small})

    assert share(tree, listing, [other]) == 0


def test_an_installation_shares_with_the_roots_that_are_there(workshop: Workshop) -> None:
    def ballast(tar: tarfile.TarFile) -> None:
        member = tarfile.TarInfo("opt/ballast")
        member.size, member.mode = len(LARGE), 0o644
        tar.addfile(member, BytesIO(LARGE))

    workshop.write_recipe("1.0", extra=ballast)
    workshop.install("shout-1")
    kept = workshop.path / "kept"
    os.link(workshop.root() / "opt/ballast", kept)
    workshop.write_recipe("2.0", extra=ballast)
    workshop.install("shout-1")

    assert workshop.manifest().version == "2.0"
    assert _linked(kept, workshop.root() / "opt/ballast")
    assert workshop.installer()[0].verify([workshop.catalogue()["shout-1"]]) == []
