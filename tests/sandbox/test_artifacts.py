"""Reading what a hostile program left in its work dir."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from execution.sandbox import artifacts
from execution.sandbox.artifacts import MOST_BYTES, MOST_FILES, collect


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("of the host")
    return folder


def paths(work: Path, *patterns: str) -> list[str]:
    descriptor = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return [file.path for file in collect(descriptor, patterns)]
    finally:
        os.close(descriptor)


def test_globs_stay_within_one_folder_and_two_stars_do_not(work: Path) -> None:
    for name in ("a.txt", "b.log", "d/a.txt", "d/e/a.txt"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(name)
    assert paths(work, "*.txt") == ["a.txt"]
    assert paths(work, "*/*.txt") == ["d/a.txt"]
    assert paths(work, "**/*.txt") == ["a.txt", "d/a.txt", "d/e/a.txt"]
    assert paths(work, "d/**") == ["d/a.txt", "d/e/a.txt"]
    assert paths(work, "?.log", "b.log") == ["b.log"]
    assert paths(work, "d") == []


@pytest.mark.parametrize(
    "pattern", ["../secret.txt", "/etc/passwd", "d/../../secret.txt", ".", "", "d//a.txt", "./a.txt"]
)
def test_no_pattern_leads_outside(work: Path, pattern: str) -> None:
    (work / "d").mkdir()
    (work / "a.txt").write_text("x")
    assert paths(work, pattern) == []


def test_links_fifos_sockets_and_folders_are_no_files(work: Path) -> None:
    (work / "link").symlink_to("../secret.txt")
    (work / "folder").symlink_to("..")
    os.mkfifo(work / "fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(work / "socket"))
        assert paths(work, "*", "folder/secret.txt", "**/secret.txt") == []


def test_a_link_put_in_a_files_place_is_not_followed(work: Path) -> None:
    descriptor = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    (work / "swapped").symlink_to("../secret.txt")
    os.mkfifo(work / "fifo")
    try:
        assert artifacts._read(descriptor, "swapped", 100) is None
        assert artifacts._read(descriptor, "fifo", 100) is None
        assert artifacts._read(descriptor, "gone", 100) is None
    finally:
        os.close(descriptor)


def test_content_is_capped_and_the_true_size_told(work: Path) -> None:
    for name in ("a", "b"):
        with (work / name).open("wb") as file:
            file.truncate(1 << 40)
    descriptor = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    files = collect(descriptor, ["*"])
    os.close(descriptor)
    assert [file.size for file in files] == [1 << 40] * 2
    assert [len(file.content) for file in files] == [MOST_BYTES, 0]


def test_the_number_of_files_and_of_looks_is_capped(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(MOST_FILES + 20):
        (work / f"{number:03}").touch()
    assert len(paths(work, "*")) == MOST_FILES
    monkeypatch.setattr(artifacts, "MOST_ENTRIES", 10)
    assert len(paths(work, "*")) == 10


def test_ten_thousand_nested_folders_end_quickly(work: Path) -> None:
    here = os.open(work, os.O_RDONLY)
    for _ in range(10_000):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    assert paths(work, "**/x", "**") == []
    # Python's own clean-up of the test's folder would recurse too deep.
    subprocess.run(["rm", "-rf", str(work)], check=True)


def test_names_that_are_no_utf8_are_shown_with_replacement(work: Path) -> None:
    os.close(os.open(os.fsencode(work) + b"/\xff\n.txt", os.O_CREAT))
    assert paths(work, "*.txt") == ["\ufffd\n.txt"]
