"""Installing a toolchain: what it leaves, what it costs the second time, and what it does when something is wrong."""

import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from execution.catalogue import installed
from execution.toolchains import seal
from execution.toolchains.probe import MOUNT_POINTS, inside
from tests.toolchains.conftest import COMPILERS, Workshop, tar_of


def test_it_writes_the_manifest_that_the_sandbox_reads(workshop: Workshop) -> None:
    assert workshop.install("shout-1") == []

    manifest = workshop.manifest()
    assert manifest.version == "1.2.3"
    assert manifest.run == ("/bin/sh", "{entrypoint}")
    assert manifest.compile is None
    assert manifest.stand_in is False
    assert manifest.env == {"PATH": "/usr/bin:/bin"}
    assert Path(manifest.root).parent == workshop.store.roots
    assert Path(manifest.root).name.startswith("mini-")


def test_only_what_was_asked_for_becomes_available(workshop: Workshop) -> None:
    workshop.install("shout-1")

    assert set(workshop.store.manifests()) == {"shout-1"}


def test_compilers_of_one_recipe_share_one_root(workshop: Workshop) -> None:
    workshop.install("shout-1")
    workshop.install("whisper-1")

    assert workshop.root("shout-1") == workshop.root("whisper-1")
    assert len(list(workshop.store.roots.iterdir())) == 1


def _strangers(tar: tarfile.TarFile) -> None:
    for name, kind, mode in (
        ("opt/raise", tarfile.REGTYPE, 0o4755),
        ("opt/group", tarfile.REGTYPE, 0o2755),
        ("opt/secret", tarfile.REGTYPE, 0o600),
        ("opt/pipe", tarfile.FIFOTYPE, 0o666),
        ("opt/open", tarfile.DIRTYPE, 0o1777),
    ):
        member = tarfile.TarInfo(name)
        member.type, member.mode = kind, mode
        tar.addfile(member)


def test_a_root_holds_nothing_that_raises_privileges_or_can_be_written(workshop: Workshop) -> None:
    workshop.write_recipe(extra=_strangers)
    assert workshop.install("shout-1") == []

    modes = {str(p.relative_to(workshop.root())): p.lstat().st_mode for p in seal.walk(workshop.root())}
    assert "opt/pipe" not in modes
    for path, mode in modes.items():
        if stat.S_ISLNK(mode):
            continue
        assert stat.S_ISREG(mode) or stat.S_ISDIR(mode), path
        assert not mode & (stat.S_ISUID | stat.S_ISGID | 0o222), path
        assert mode & 0o004, path
    assert stat.S_IMODE(modes["opt/raise"]) == 0o555
    assert stat.S_IMODE(modes["opt/secret"]) == 0o444


def test_a_root_has_every_mount_point_and_knows_nothing_of_the_host(workshop: Workshop) -> None:
    def leftovers(tar: tarfile.TarFile) -> None:
        for name in ("etc/hostname", "etc/resolv.conf", "etc/shadow", "var/cache/apt/x", "tmp/x"):
            tar.addfile(tarfile.TarInfo(name))

    workshop.write_recipe(extra=leftovers)
    workshop.install("shout-1")

    for place in MOUNT_POINTS:
        assert (workshop.root() / place).is_dir(), place
    for gone in ("etc/hostname", "etc/resolv.conf", "etc/shadow", "var/cache/apt", "tmp/x"):
        assert not (workshop.root() / gone).exists(), gone


def test_files_links_and_removals_of_the_recipe_are_applied(workshop: Workshop) -> None:
    more = 'remove = ["opt/un*"]\nprepare = [["/bin/sh", "-c", "echo ready > /opt/prepared"]]\n'
    more += '[source.links]\n"/usr/local/bin/shout" = "/bin/sh"\n'
    workshop.write_recipe(more=more, extra=lambda tar: tar.addfile(tarfile.TarInfo("opt/unwanted")))
    (workshop.recipe / "files" / "etc").mkdir(parents=True)
    (workshop.recipe / "files" / "etc" / "motto").write_text("loud")
    assert workshop.install("shout-1") == []

    root = workshop.root()
    assert (root / "etc/motto").read_text() == "loud"
    assert (root / "opt/prepared").read_text() == "ready\n"
    assert (root / "usr/local/bin/shout").readlink() == Path("/bin/sh")
    assert not (root / "opt/unwanted").exists()


def test_installing_again_changes_nothing(workshop: Workshop) -> None:
    workshop.install("shout-1")
    before = (workshop.root().stat().st_ino, workshop.store.records.stat().st_mtime_ns)
    installer, out = workshop.installer()

    assert installer.install([workshop.catalogue()["shout-1"]]) == []
    assert (workshop.root().stat().st_ino, workshop.store.records.stat().st_mtime_ns) == before
    assert "already installed" in out.getvalue()


def test_a_changed_catalogue_refreshes_the_manifest_and_keeps_the_root(workshop: Workshop) -> None:
    workshop.install("shout-1")
    root = workshop.root()
    workshop.write_catalogue(
        COMPILERS.replace('run = ["/bin/sh", "{entrypoint}"]', 'run = ["/bin/sh", "-u", "{entrypoint}"]')
    )

    assert workshop.install("shout-1") == []
    assert workshop.manifest().run == ("/bin/sh", "-u", "{entrypoint}")
    assert workshop.root() == root


def test_a_version_that_is_asked_for_differently_is_asked_anew(workshop: Workshop) -> None:
    workshop.install("shout-1")
    workshop.write_catalogue(
        COMPILERS.replace(r"Shout (\\S+)", r"Shout (\\d+)").replace(r"Shout (\S+)", r"Shout (\d+)")
    )

    workshop.install("shout-1")
    assert workshop.manifest().version == "1"


def test_a_changed_recipe_replaces_the_root_and_removes_the_old_one(workshop: Workshop) -> None:
    workshop.install("shout-1", "whisper-1")
    old = workshop.root()
    workshop.write_recipe("1.3.0")

    assert workshop.install("shout-1") == []
    assert workshop.manifest("shout-1").version == "1.3.0"
    assert workshop.manifest("whisper-1").version == "1.3.0"
    assert [path.name for path in workshop.store.roots.iterdir()] == [workshop.root().name]
    assert not old.exists()
    assert len(list(workshop.store.records.iterdir())) == 2


def test_a_root_that_a_sandbox_stands_in_stays_until_the_sandbox_is_gone(workshop: Workshop) -> None:
    workshop.install("shout-1")
    old = workshop.root()
    workshop.write_recipe("1.3.0")
    with subprocess.Popen(
        inside(old, ["/bin/sh", "-c", "echo up; read line"], env={}), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as sandbox:
        assert sandbox.stdout is not None
        assert sandbox.stdout.readline() == b"up\n"
        workshop.install("shout-1")
        assert old.is_dir()
        sandbox.communicate(b"\n")

    workshop.install("shout-1")
    assert not old.exists()


def test_building_again_from_the_same_recipe_gives_the_same_root(workshop: Workshop) -> None:
    workshop.install("shout-1")
    root = workshop.root()

    assert workshop.install("shout-1", again=True) == []
    assert workshop.root() == root
    assert list(workshop.store.building.iterdir()) == []


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda w: w.write_recipe("1.3.0", more='prepare = [["/bin/sh", "-c", "echo no >&2; exit 3"]]'), "exit code 3"),
        (lambda w: w.write_recipe("1.3.0", more='[source.links]\n"/bin/x" = "/bin/nowhere"'), "/bin/nowhere"),
        (lambda w: w.write_recipe("1.3.0", more='remove = ["opt/version.sh"]'), "version.sh"),
        (lambda w: (w.recipe / "mini.tar").write_bytes(b"another file"), "SHA-256"),
        (lambda w: (w.recipe / "mini.tar").unlink(), "RUNCODE_TOOLCHAIN_ARCHIVES"),
        (lambda w: (w.recipe / "recipe.toml").write_text("[[source]]"), "without a layer"),
        (lambda w: (w.recipe / "recipe.toml").unlink(), "no recipe 'mini'"),
    ],
    ids=["prepare fails", "dangling link", "no version", "wrong archive", "no archive", "no layer", "no recipe"],
)
def test_what_goes_wrong_is_told_and_the_old_toolchain_stays(workshop: Workshop, spoil, reason: str) -> None:
    workshop.install("shout-1")
    before = workshop.manifest()
    spoil(workshop)

    (problem,) = workshop.install("shout-1")
    assert reason in problem
    assert problem.startswith("shout-1: ")
    assert workshop.manifest() == before
    assert workshop.root().is_dir()
    assert list(workshop.store.building.iterdir()) == []


def test_a_toolchain_whose_hello_world_is_wrong_is_not_installed(workshop: Workshop) -> None:
    workshop.write_catalogue(COMPILERS.replace("Hello, World!", "Good bye"))

    (problem,) = workshop.install("shout-1")
    assert "Good bye" in problem
    assert workshop.store.manifests() == {}


def test_an_archive_cannot_write_outside_the_root(workshop: Workshop) -> None:
    layer = workshop.layer(tar_of({"../../../../escaped": b"x"}))
    (workshop.recipe / "recipe.toml").write_text(f"[[source]]\n{layer}")

    (problem,) = workshop.install("shout-1")
    assert "tar failed" in problem
    assert not list(workshop.path.rglob("escaped"))


def test_a_compiler_without_a_recipe_says_so(workshop: Workshop) -> None:
    assert workshop.install("silence-1") == ["silence-1: this version has no recipe for it"]


def test_a_second_installer_waits_for_the_first(workshop: Workshop) -> None:
    with workshop.store.locked(lambda: None):
        pass
    installer, out = workshop.installer()
    hold = ["flock", "-x", str(workshop.store.directory / "lock"), "sh", "-c", "echo held; sleep 0.3"]
    with subprocess.Popen(hold, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert installer.install([workshop.catalogue()["shout-1"]]) == []
        assert holder.wait() == 0
    assert "waiting" in out.getvalue()


def test_the_catalogue_sees_a_new_toolchain_at_once(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("execution.catalogue.COMPILERS", workshop.catalogue())
    assert installed(workshop.home) == {}

    workshop.install("shout-1")
    assert installed(workshop.home)["shout-1"].version == "1.2.3"
