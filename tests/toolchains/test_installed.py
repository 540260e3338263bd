"""The toolchains that these tests run beside (installed by `make test`): whole, sealed and quick to start."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from execution.catalogue import COMPILERS, Manifest, installed
from execution.toolchains import command, probe, seal
from execution.toolchains.store import Store

FIRST = ("python-3.14", "gcc-15", "g++-15")


@pytest.fixture(scope="module")
def manifests() -> dict[str, Manifest]:
    found = installed(settings.RUNCODE_HOME)
    assert set(FIRST) <= set(found), "make toolchains"
    return found


@pytest.mark.parametrize("id_", FIRST)
def test_the_version_is_what_the_toolchain_prints(manifests: dict[str, Manifest], id_: str) -> None:
    compiler = COMPILERS[id_]

    assert manifests[id_].version == probe.version(Path(manifests[id_].root), compiler)
    assert re.search(r"\d+", id_)[0] == manifests[id_].version.split(".")[0]  # type: ignore[index]


@pytest.mark.parametrize("id_", FIRST)
def test_the_sample_greets_the_world(manifests: dict[str, Manifest], id_: str) -> None:
    probe.greets(Path(manifests[id_].root), COMPILERS[id_])


def test_the_first_three_share_one_small_root(manifests: dict[str, Manifest]) -> None:
    assert len({manifests[id_].root for id_ in FIRST}) == 1
    record = Store(settings.RUNCODE_HOME).record_at(manifests["python-3.14"].root)
    assert record is not None
    assert record.size < (400 if record.recipe == "python-gcc" else 1200) << 20
    assert "python3.14 3.14" in record.contents


def test_every_module_of_python_is_compiled_ahead(manifests: dict[str, Manifest]) -> None:
    root = Path(manifests["python-3.14"].root)
    folders = [root / "usr/lib/python3.14", root / "usr/local/lib/python3.14/dist-packages"]
    modules = [path for folder in folders for path in folder.rglob("*.py") if "__pycache__" not in path.parts]

    assert len(modules) > 300
    lacking = [
        str(path) for path in modules if not (path.parent / "__pycache__" / f"{path.stem}.cpython-314.pyc").is_file()
    ]
    assert lacking == []


def test_no_library_runs_code_at_every_start_of_python(manifests: dict[str, Manifest]) -> None:
    """Nor is there a file that `site` would have to read: a plain program starts as if there were no libraries."""
    root = Path(manifests["python-3.14"].root)

    assert list(root.glob("usr/local/lib/python3.14/dist-packages/*.pth")) == []
    assert list(root.glob("usr/local/lib/python3.14/dist-packages/*customize.py")) == []


def test_python_starts_without_compiling_anything(manifests: dict[str, Manifest]) -> None:
    root = Path(manifests["python-3.14"].root)
    said = command.run(
        probe.inside(root, ["/usr/bin/python3.14", "-v", "-c", "import json, asyncio"], env={"PATH": "/usr/bin"})
    )

    # -v tells of each module where its code came from; one that had to be compiled is "wrote" or "could not write".
    assert "matches /usr/lib/python3.14" in said
    assert "could not create" not in said
    assert "wrote " not in said


def test_no_file_can_raise_privileges_or_be_written(manifests: dict[str, Manifest]) -> None:
    root = Path(manifests["python-3.14"].root)
    wrong = [
        str(path)
        for path in seal.walk(root)
        if not path.is_symlink() and (path.lstat().st_mode & 0o6222 or not path.lstat().st_mode & 0o004)
    ]

    assert wrong == []
    for gone in ("etc/hostname", "etc/resolv.conf", "etc/shadow", "etc/apt/sources.list"):
        assert not (root / gone).exists()
