"""Runs a command inside a toolchain's root, shut off by bubblewrap: no network, no processes of others, an
unprivileged user, everything read-only but /work, /build and /tmp. For the toolchain's own words (its version, its
hello-world) while it is installed; tenants' programs run in `execution.sandbox`, which does far more."""

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from execution.catalogue import Compiler
from execution.toolchains import command
from execution.toolchains.errors import InstallFailed

GREETING = "Hello, World!\n"
MOUNT_POINTS = ("proc", "dev", "tmp", "var/tmp", "work", "build")
TIMEOUT = 120.0  # seconds; a first start from a cold disk may take several


def inside(
    root: Path,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    binds: Mapping[str, Path] | None = None,
    writable: bool = False,
) -> list[str]:
    """The bubblewrap call that runs `argv` in `root`. `binds` are host directories to show, read-write, at paths of
    the root; `writable` lets the command change the root itself (only while it is being built)."""
    mounts = ["--bind" if writable else "--ro-bind", str(root), "/", "--proc", "/proc", "--dev", "/dev"]
    mounts += ["--tmpfs", "/tmp", "--tmpfs", "/var/tmp"]  # noqa: S108 - inside the root
    for path, host in (binds or {}).items():
        mounts += ["--bind", str(host), path]
    options = ["--unshare-all", "--die-with-parent", "--new-session", "--chdir", "/", "--clearenv"]
    if not writable:
        options += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
    for name, value in {**env, "HOME": "/work"}.items():
        options += ["--setenv", name, value]
    return ["bwrap", *mounts, *options, "--", *argv]


def version(root: Path, compiler: Compiler) -> str:
    """What the toolchain in `root` prints as its version. Raises InstallFailed when it prints none."""
    if compiler.commands is None:
        raise InstallFailed(f"{compiler.id} has no recipe")
    ask = compiler.commands.version
    output = command.run(inside(root, ask.command, env=compiler.commands.env), timeout=TIMEOUT)
    found = re.search(ask.pattern, output)
    if not found:
        raise InstallFailed(f"{compiler.id}: no version ({ask.pattern}) in what it printed: {output.strip()!r}")
    return found[1]


def libraries(root: Path, compiler: Compiler) -> list[list[str]]:
    """The libraries that the toolchain in `root` has beyond the language's own, as [name, version], by name. Raises
    InstallFailed when it cannot tell."""
    ask = compiler.commands.libraries if compiler.commands else None
    if not ask or compiler.commands is None:
        return []
    output = command.run(inside(root, ask, env=compiler.commands.env), timeout=TIMEOUT)
    lines = [line.split() for line in output.splitlines() if line.strip()]
    if wrong := next((line for line in lines if len(line) != 2), None):
        raise InstallFailed(f"{compiler.id}: {' '.join(wrong)!r} is not the name and version of a library")
    return sorted(lines, key=lambda line: line[0].casefold())


def expand(argv: Sequence[str], *, entrypoint: str, sources: Sequence[str]) -> list[str]:
    """The placeholders of compilers.toml filled in."""
    words: list[str] = []
    for word in argv:
        words.extend(sources if word == "{sources}" else [word.replace("{entrypoint}", entrypoint)])
    return words


def greets(root: Path, compiler: Compiler) -> None:
    """Compiles and runs the compiler's hello-world in `root`. Raises InstallFailed when it doesn't greet."""
    commands = compiler.commands
    if commands is None:
        raise InstallFailed(f"{compiler.id} has no recipe")
    with tempfile.TemporaryDirectory(prefix="runcode-probe-") as scratch:
        work, build = Path(scratch, "work"), Path(scratch, "build")
        for directory in (work, build):
            directory.mkdir()
        (work / compiler.file_name).write_text(compiler.sample, encoding="utf-8")
        output = ""
        for argv in (commands.compile, commands.run):
            if argv:
                words = expand(argv, entrypoint=compiler.file_name, sources=[compiler.file_name])
                call = inside(root, words, env=commands.env, binds={"/work": work, "/build": build})
                call[call.index("--chdir") + 1] = "/work"
                output = command.run(call, timeout=TIMEOUT)
    if output != GREETING:
        raise InstallFailed(f"{compiler.id}: its hello-world printed {output!r}")


def works() -> str | None:
    """Why bubblewrap cannot run here, in its own words; None when it can."""
    answer = subprocess.run(
        ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if answer.returncode == 0 else answer.stderr.strip()
