"""The Debian packages that the service, its toolchains and its tests need on a host."""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from execution.host_findings import Finding, as_root, is_root


class Need(NamedTuple):
    """A Debian package, and how to tell that what it brings is there (also when it came another way)."""

    package: str
    reason: str
    present: Callable[[], bool]


def _command(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def _file(*patterns: str) -> Callable[[], bool]:
    return lambda: any(True for pattern in patterns for _ in Path("/").glob(pattern))


def _library(name: str) -> Callable[[], bool]:
    def loads() -> bool:
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
        return True

    return loads


def _venv_ready() -> bool:
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


NEEDS = (
    Need("python3-venv", "makes the virtual environment", _venv_ready),
    Need("bubblewrap", "holds programs in their sandbox", _command("bwrap")),
    Need("libseccomp2", "filters their system calls", _library("libseccomp.so.2")),
    Need("gcc", "compiles the sandbox's helpers", _command("gcc")),
    Need("musl-tools", "compiles the sandbox's helpers", _command("musl-gcc")),
    Need("mmdebstrap", "installs toolchains", _command("mmdebstrap")),
    Need("debian-archive-keyring", "checks toolchains", _file("usr/share/keyrings/debian-archive-keyring.gpg")),
    Need("xz-utils", "unpacks toolchains", _command("xz")),
    Need("zstd", "unpacks toolchains", _command("zstd")),
    Need("util-linux", "ties helpers to the service's life", _command("setpriv")),
    Need("curl", "makes the first call", _command("curl")),
)
# Without root, toolchains are unpacked in a user namespace with subordinate ids.
NEEDS_OF_USERS = (Need("uidmap", "installs toolchains without root", _command("newuidmap")),)
NEEDS_OF_TESTS = (
    Need("redis-server", "the tests' Redis", _command("redis-server")),
    Need("postgresql", "the tests' PostgreSQL", _file("usr/lib/postgresql/*/bin/postgres", "usr/local/bin/postgres")),
    Need("chromium", "the tests' browser", _command("chromium", "chromium-browser", "google-chrome")),
    Need("docker.io", "the tests' Docker Engine", _command("dockerd")),
    Need("patchelf", "the tests' Docker Engine", _command("patchelf")),
    Need("skopeo", "the tests of image toolchains", _command("skopeo")),
    Need("umoci", "the tests of image toolchains", _command("umoci")),
    Need("docker-registry", "the tests of image toolchains", _command("docker-registry")),
    Need("nodejs", "the tests' JavaScript clients", _command("node")),
    Need("npm", "the tests' JavaScript clients, and the toolchain of JavaScript", _command("npm")),
    Need("git", "the tests' clones", _command("git")),
)


def needs(*, tests: bool) -> tuple[Need, ...]:
    return NEEDS + (() if is_root() else NEEDS_OF_USERS) + (NEEDS_OF_TESTS if tests else ())


def check_needs(needs: tuple[Need, ...]) -> Iterator[Finding]:
    for need in needs:
        if need.present():
            yield Finding(need.package, need.reason)
        else:
            remedy = as_root(f"apt-get install {need.package}")
            yield Finding(need.package, f"missing ({need.reason})", remedy, (need.package,))
