"""The kinds of layer: the commands that they give, and each that can run here run for real."""

import io
import json
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from execution.toolchains.apt_sources import Mirror
from execution.toolchains.downloads import Downloads
from execution.toolchains.errors import RecipeInvalid, SourceUnreachable
from execution.toolchains.layers.base import Build, inside
from execution.toolchains.layers.debian import DebianLayer
from execution.toolchains.layers.debian_progress import Phases
from execution.toolchains.layers.docker import DockerLayer
from execution.toolchains.layers.npm import NpmLayer, even_times
from execution.toolchains.layers.pypi import PypiLayer
from execution.toolchains.progress import Progress
from tests.toolchains.conftest import Workshop, shell_files

MIRROR = Mirror("http://a.example/debian", "/k.gpg")


@pytest.fixture
def build(tmp_path: Path) -> Build:
    for name in ("root", "scratch"):
        (tmp_path / name).mkdir()
    downloads = Downloads(tmp_path / "downloads")
    downloads.prepare()
    progress = Progress(io.StringIO())
    return Build("some", tmp_path / "root", tmp_path / "scratch", tmp_path, downloads, tmp_path / "log", progress)


# --- Debian ---


def test_the_base_system_of_a_suite_keeps_its_package_lists() -> None:
    layer = DebianLayer(("sid", "experimental"), ("gcc-15",), ("main",))
    argv = layer.base_command("/base.tar", MIRROR, root=True)

    assert argv[:4] == ["mmdebstrap", "--verbose", "--variant=essential", "--mode=root"]
    assert {"--format=tar", "--skip=cleanup/apt/lists"} <= set(argv)
    assert '--aptopt=Acquire::Check-Valid-Until "false"' in argv
    assert not [word for word in argv if word.startswith("--include")]
    assert argv[-3:] == ["sid", "/base.tar", "deb [signed-by=/k.gpg] http://a.example/debian sid main"]


def test_as_root_packages_are_put_on_the_base_in_place() -> None:
    layer = DebianLayer(("sid", "experimental"), ("ghc/experimental", "gcc-15"), ("main",))
    argv = layer.command("/target", Path("/a base.tar"), MIRROR, Path("/debs"), root=True)

    assert {"--mode=root", "--format=directory", "--setup-hook=tar-in '/a base.tar' /"} <= set(argv)
    assert "--include=ghc/experimental,gcc-15" in argv
    assert "--skip=update" not in argv
    assert argv[-4:] == [
        "sid",
        "/target",
        "deb [signed-by=/k.gpg] http://a.example/debian sid main",
        "deb [signed-by=/k.gpg] http://a.example/debian experimental main",
    ]


def test_without_root_debian_comes_as_a_tar_from_a_user_namespace() -> None:
    argv = DebianLayer(("sid",), (), ("main",)).command(
        "/out.tar", Path("/base.tar"), MIRROR, Path("/debs"), root=False
    )

    assert {"--mode=unshare", "--format=tar", "--skip=update"} <= set(argv)
    assert not [word for word in argv if word.startswith("--include")]


def test_the_output_of_mmdebstrap_becomes_progress(build: Build) -> None:
    phases = Phases(build)
    out = build.progress.stream
    assert isinstance(out, io.StringIO)
    for line in (
        "I: running apt-get update...",
        "Get:1 http://a.example/debian sid InRelease [193 kB]",
        "0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.",
        "Get:1 http://a.example/debian sid/main amd64 libc6 amd64 2.43-7 [1866 kB]",
        "Unpacking libc6:amd64 (2.43-7) ...",
        "Setting up libc6:amd64 (2.43-7) ...",
    ):
        phases.line(line)
    phases.base_is_there()
    for line in (
        "dpkg is already the newest version (1.23.11).",
        "0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.",
        "Get:1 http://a.example/debian sid/main amd64 gcc-15 amd64 15.3.0-5 [1 kB]",
        "Setting up gcc-15 (15.3.0-5) ...",
    ):
        phases.line(line)

    lines = out.getvalue().splitlines()
    assert lines[0] == "  [  2%] some: reading the package lists"
    assert lines[1].endswith("some: downloading 1/2 libc6")
    assert lines[2].endswith("some: unpacking 1/2 libc6")
    assert lines[-1].endswith("some: setting up 1/1 gcc-15")
    shown = [int(line[3:6]) for line in lines]
    assert shown == sorted(shown)


def test_a_mirror_that_does_not_answer_is_unreachable(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apt.conf").write_text('Acquire::Retries "0";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    # A port on this machine where nobody listens.
    monkeypatch.setenv("RUNCODE_DEBIAN_MIRROR", "http://127.0.0.1:9/debian")

    with pytest.raises(SourceUnreachable):
        DebianLayer(("sid",), (), ("main",)).unpack(build)
    assert "127.0.0.1:9" in build.log.read_text()


# --- Docker ---


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ("ruby:4.0", "docker://ruby:4.0"),
        ("ruby:4.0@sha256:ab", "docker://ruby@sha256:ab"),
        ("registry.example:5000/team/ruby:4.0@sha256:ab", "docker://registry.example:5000/team/ruby@sha256:ab"),
        ("oci:/images/ruby:latest", "oci:/images/ruby:latest"),
    ],
)
def test_an_image_is_named_by_its_digest(image: str, reference: str) -> None:
    assert DockerLayer(image).reference == reference


def test_a_registry_that_does_not_answer_is_unreachable(tmp_path: Path) -> None:
    reason = DockerLayer("127.0.0.1:9/team/ruby:4.0").unreachable(tmp_path)

    assert reason is not None
    assert "no registry answers" in reason


def test_an_image_becomes_a_root(workshop: Workshop, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    tree = tmp_path / "tree"
    for path, content in {**shell_files(), "opt/version.sh": b"echo Shout 7.0\n"}.items():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(0o755)
    for argv in (
        ["init", "--layout", layout],
        ["new", "--image", f"{layout}:latest"],
        ["insert", "--rootless", "--image", f"{layout}:latest", tree, "/"],
    ):
        subprocess.run(["umoci", *argv], check=True, capture_output=True)
    recipe = f'[[source]]\n[[source.layer]]\nkind = "docker"\nimage = "oci:{layout}:latest"\n'
    (workshop.recipe / "recipe.toml").write_text(recipe)

    assert workshop.install("shout-1") == []
    assert workshop.manifest().version == "7.0"
    (record,) = workshop.store.all_records()
    digest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    assert digest in record.contents


# --- PyPI ---


def _wheel(folder: Path) -> str:
    """A wheel of one module; returns the requirement line with its hash."""
    path = folder / "loud-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("loud.py", "def up(text):\n    return text.upper()\n")
        wheel.writestr("loud-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
        wheel.writestr("loud-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("loud-1.0.dist-info/RECORD", "loud.py,,\n")
    digest = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
    return f"loud==1.0 --hash=sha256:{digest}\n"


def test_wheels_are_unpacked_into_the_root(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wheels.txt").write_text(_wheel(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    layer = PypiLayer(tmp_path / "wheels.txt", (), "3.14", "/opt/lib")

    assert layer.unreachable(tmp_path) is None
    assert layer.unpack(build) == "loud-1.0.dist-info"
    assert (build.root / "opt/lib/loud.py").is_file()


def test_a_wheel_with_another_hash_is_refused(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = _wheel(tmp_path)
    (tmp_path / "wheels.txt").write_text(line.replace(line[-9:-1], "0" * 8))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    with pytest.raises(Exception, match=r"(?i)hash"):
        PypiLayer(tmp_path / "wheels.txt", (), "3.14", "/opt/lib").unpack(build)


# --- npm ---


def test_npm_runs_no_script_of_a_package() -> None:
    argv = NpmLayer(("deno@2.6.0",), "/opt/node").command(Path("/root/opt/node"), Path("/scratch"))

    assert "--ignore-scripts" in argv
    assert argv[-3:] == ["--prefix", "/root/opt/node", "deno@2.6.0"]


def test_files_of_npm_have_the_time_of_its_archives_so_that_roots_can_share_them(tmp_path: Path) -> None:
    package = tmp_path / "node_modules" / "one"
    package.mkdir(parents=True)
    (package / "index.js").write_text("1")
    (package / "link.js").symlink_to("gone.js")
    even_times(tmp_path / "node_modules")

    assert {path.lstat().st_mtime for path in package.iterdir()} == {499162500}


def test_without_npm_the_layer_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert NpmLayer(("deno@2.6.0",), "/opt/node").unreachable(tmp_path) == (
        "npm is not installed (apt-get install npm)"
    )


# --- All ---


@pytest.mark.parametrize("path", ["../outside", "/opt/../../outside", "way-out/x"])
def test_a_target_outside_the_root_is_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "way-out").symlink_to(tmp_path)

    with pytest.raises(RecipeInvalid):
        inside(root, path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["root"]


def test_archives_may_be_packed_in_any_way_that_tar_knows(workshop: Workshop) -> None:
    plain = workshop.archive("5.0")
    packed = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(plain)) as source, tarfile.open(fileobj=packed, mode="w:xz") as target:
        for member in source.getmembers():
            target.addfile(member, source.extractfile(member))
    layer = workshop.layer(packed.getvalue(), "mini.tar.xz")
    (workshop.recipe / "recipe.toml").write_text(f"[[source]]\n{layer}")

    assert workshop.install("shout-1") == []
    assert workshop.manifest().version == "5.0"
