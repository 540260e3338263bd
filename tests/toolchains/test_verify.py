"""`verify`: whatever has changed in a root since its installation is told."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from execution.toolchains import digests
from tests.toolchains.conftest import Workshop


def _verify(workshop: Workshop) -> list[str]:
    return workshop.installer()[0].verify([workshop.catalogue()["shout-1"]])


def test_an_untouched_root_is_unchanged(workshop: Workshop) -> None:
    workshop.install("shout-1")

    assert _verify(workshop) == []


def _change_a_byte(root: Path) -> None:
    path = root / "opt/version.sh"
    times = path.stat()
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    path.chmod(0o555)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _add_a_file(root: Path) -> None:
    (root / "opt").chmod(0o755)
    (root / "opt/version.pth").write_text("import os")


def _remove_a_file(root: Path) -> None:
    (root / "opt").chmod(0o755)
    (root / "opt/version.sh").unlink()


def _change_a_mode(root: Path) -> None:
    (root / "opt/version.sh").chmod(0o4555)


def _change_a_link(root: Path) -> None:
    (root / "usr/local/bin").chmod(0o755)
    (root / "usr/local/bin/shout").unlink()
    (root / "usr/local/bin/shout").symlink_to("/tmp/other")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_change_a_byte, "opt/version.sh has changed (content)"),
        (_change_a_mode, "opt/version.sh has changed (mode)"),
        (_add_a_file, "opt/version.pth was not there when it was installed"),
        (_remove_a_file, "opt/version.sh is missing"),
        (_change_a_link, "usr/local/bin/shout has changed (it points to /tmp/other, not to /bin/sh)"),
    ],
)
def test_a_change_is_told(workshop: Workshop, change: Callable[[Path], None], sentence: str) -> None:
    workshop.write_recipe(more='[source.links]\n"/usr/local/bin/shout" = "/bin/sh"')
    workshop.install("shout-1")
    change(workshop.root())

    (finding,) = _verify(workshop)
    assert finding == f"{workshop.root().name}: {sentence}"


def test_a_missing_root_is_told(workshop: Workshop) -> None:
    workshop.install("shout-1")
    workshop.root().rename(workshop.path / "elsewhere")

    (finding,) = _verify(workshop)
    assert "is missing; install again" in finding


def test_what_is_not_installed_is_told(workshop: Workshop) -> None:
    assert _verify(workshop) == ["shout-1 is not installed"]


@pytest.mark.parametrize("size", [0, 1, 4096, digests.CHUNK - 1, digests.CHUNK, digests.CHUNK + 4097])
def test_a_file_reads_the_same_around_the_page_cache(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(size))
    (entry,) = map(str, [digests.take(tmp_path)])

    assert digests.on_disk(path) is not None, "this file system has no O_DIRECT, so the test proves nothing"
    assert str(digests.on_disk(path)) in entry


def test_a_name_that_is_no_text_is_listed_and_compared(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9")).write_bytes(b"x")
    listing = digests.take(tmp_path)

    assert list(digests.differences(tmp_path, listing)) == []
