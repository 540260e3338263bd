"""Makes an unpacked tree fit to be every tenant's `/`: what the host or the packaging left in it goes, nothing in it
can raise privileges, everybody may read everything, nobody may write."""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from execution.toolchains.errors import InstallFailed, RecipeInvalid
from execution.toolchains.layers.base import inside
from execution.toolchains.probe import MOUNT_POINTS
from execution.toolchains.recipe import Source

# Caches, logs, package databases' bulk, and what mmdebstrap copied from this host (its name, its resolvers).
LEFTOVERS = (
    "var/cache/*",
    "var/log/*",
    "var/lib/apt",
    "var/lib/dpkg/info",
    "var/lib/dpkg/*-old",
    "etc/apt/sources.list*",
    "etc/apt/apt.conf.d/*",
    "etc/apt/auth.conf*",
    "etc/resolv.conf",
    "etc/hostname",
    "etc/machine-id",
    "etc/shadow*",
    "etc/gshadow*",
    "etc/passwd-",
    "etc/group-",
    "run/*",
    "dev/*",
    "tmp/*",
    "var/tmp/*",
    "boot/*",
    "root/.*",
    ".dockerenv",
)
HOSTS = "127.0.0.1\tlocalhost\n::1\tlocalhost\n"


def delete(path: Path) -> None:
    """Removes a file or a whole tree, also one that was sealed (directories without write permission)."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    for directory, _, _ in os.walk(path):
        os.chmod(directory, 0o700)  # noqa: PTH101 - os.walk deals in strings
    shutil.rmtree(path)


def _remove(root: Path, globs: tuple[str, ...]) -> None:
    for glob in globs:
        if ".." in Path(glob).parts or glob.startswith("/"):
            raise RecipeInvalid(f"remove: {glob!r} must be relative and stay inside the root")
        for path in root.glob(glob):
            delete(path)


def _copy_files(folder: Path, root: Path) -> None:
    files = folder / "files"
    if files.is_dir():
        shutil.copytree(files, root, symlinks=True, dirs_exist_ok=True)


def _link(root: Path, links: dict[str, str]) -> None:
    for path, target in links.items():
        link = inside(root, str(Path(path).parent)) / Path(path).name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        if not (root / Path(os.path.normpath(Path(path).parent / target)).relative_to("/")).exists():
            raise InstallFailed(f"the link {path} points to {target}, which is not in the root")


def furnish(root: Path, folder: Path, source: Source) -> None:
    """Adds what the recipe adds and the sandbox needs, removes what nobody needs. The tree is still writable."""
    _remove(root, LEFTOVERS)
    _remove(root, source.remove)
    _copy_files(folder, root)
    for place in MOUNT_POINTS:
        inside(root, place)
    _link(root, dict(source.links or {}))
    hosts = root / "etc" / "hosts"
    hosts.parent.mkdir(exist_ok=True)
    hosts.unlink(missing_ok=True)
    hosts.write_text(HOSTS, encoding="ascii")


def walk(root: Path) -> Iterator[Path]:
    """Everything below `root`, depth first, never through a symbolic link."""
    for directory, names, files in os.walk(root, topdown=False):
        for name in (*files, *names):
            yield Path(directory, name)


def seal(root: Path) -> None:
    """Removes devices, sockets and pipes, set-uid and set-gid bits and file capabilities; then everything becomes
    readable (and as executable as it was for its owner) by all, and writable by none."""
    for path in (*walk(root), root):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            continue
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            path.unlink()
            continue
        with contextlib.suppress(OSError):
            os.removexattr(path, "security.capability")
        path.chmod(0o555 if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else 0o444)
    # An owner who is not root could not move a directory that he may not write; the tree has yet to get to its place.
    root.chmod(0o755)
