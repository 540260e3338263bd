"""What an installation fetches is kept until one has ended well, and fetched once for all recipes."""

import os
import threading
import time
from pathlib import Path

import pytest

from execution.toolchains.downloads import APT_ARCHIVES, FRESH, Downloads
from tests.toolchains.conftest import Workshop


@pytest.fixture
def downloads(tmp_path: Path) -> Downloads:
    made = Downloads(tmp_path / "downloads")
    made.prepare()
    return made


def test_what_many_ask_for_is_made_once(downloads: Downloads) -> None:
    made: list[Path] = []

    def make(path: Path) -> None:
        made.append(path)
        time.sleep(0.05)
        path.write_text("base")

    threads = [threading.Thread(target=downloads.once, args=("base.tar", make)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1
    assert (downloads.folder / "base.tar").read_text() == "base"


def test_what_failed_half_way_is_made_again(downloads: Downloads) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        downloads.once("base.tar", fail)
    downloads.prepare()

    assert list(downloads.folder.glob("base*")) == []
    downloads.once("base.tar", lambda path: path.touch())
    assert (downloads.folder / "base.tar").is_file()


def test_a_base_whose_package_lists_are_old_is_forgotten(downloads: Downloads) -> None:
    for name, age in (("old.tar", FRESH + 60), ("new.tar", FRESH - 60)):
        (downloads.folder / name).touch()
        os.utime(downloads.folder / name, (time.time() - age,) * 2)
    downloads.prepare()

    assert [path.name for path in downloads.folder.glob("*.tar")] == ["new.tar"]


def test_packages_that_a_killed_installation_had_fetched_are_kept(workshop: Workshop) -> None:
    archives = workshop.store.building / "mini-killed" / "root" / APT_ARCHIVES
    archives.mkdir(parents=True)
    (archives / "loud_1.0_all.deb").write_text("package")
    (workshop.recipe / "recipe.toml").write_text("")
    workshop.install("shout-1")

    assert not archives.exists()
    assert (workshop.store.downloads.debs / "loud_1.0_all.deb").read_text() == "package"


def test_after_an_installation_that_went_well_nothing_is_kept(workshop: Workshop) -> None:
    assert workshop.install("shout-1") == []

    assert not workshop.store.downloads.folder.exists()
