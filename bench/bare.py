"""The other side of the comparison: a toolchain's commands with nothing around them, as a shell would start them.

Run as a process of its own, in a mount namespace of its own (`unshare --mount`), which changes its root to the
toolchain's, so that the very same files are used. It takes commands on standard input, one JSON object a line:

    {"do": "once"}                                 -> {"seconds": 0.0117}
    {"do": "once", "code": "print(1)"}             -> the same with another program
    {"do": "load", "clients": 8, "seconds": 5}     -> {"runs": 612, "seconds": 5.02, "cpu_seconds": 6.9}

Starting a process costs as little here as it can (posix_spawn, no shell in between), and only what the kernel and
the program use is counted: this process' own Python is not.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from execution.catalogue import Manifest

WORK, BUILD = Path("/work"), Path("/build")


def enter(root: Path) -> None:
    """Makes `root` this process' root, with the file systems that a sandbox has."""
    for folder in ("work", "build", "tmp"):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(root / folder)], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
    subprocess.run(["mount", "--rbind", "/dev", str(root / "dev")], check=True)
    os.chroot(root)
    os.chdir(WORK)


class Program:
    """A program of one file, compiled anew for each run where its language needs that."""

    def __init__(self, manifest: Manifest, code: str, expected: bytes) -> None:
        self._expected = expected
        self._env = {**manifest.env, "HOME": str(WORK), "TMPDIR": "/tmp"}
        self._file = WORK / manifest.file_name
        self.write(code)
        self._compile = self._command(manifest.compile, manifest) if manifest.compile else None
        self._run = self._command(manifest.run, manifest)

    def write(self, code: str) -> None:
        self._file.write_text(code, encoding="utf-8")

    def forget(self) -> None:
        """Removes what the last program was compiled to: some compilers stumble over it."""
        for left in BUILD.iterdir():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()

    def run(self) -> None:
        if self._compile:
            _spawn(self._compile, self._env)
        if (output := _spawn(self._run, self._env)) != self._expected:
            raise RuntimeError(f"the program printed {output!r}")

    @staticmethod
    def _command(template: tuple[str, ...], manifest: Manifest) -> list[str]:
        return [
            word.replace("{sources}", "{entrypoint}").replace("{entrypoint}", manifest.file_name) for word in template
        ]


def _spawn(command: list[str], env: dict[str, str]) -> bytes:
    """What the command printed, once it has ended."""
    reading, writing = os.pipe()
    pid = os.posix_spawn(command[0], command, env, file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)])
    os.close(writing)
    parts = []
    while part := os.read(reading, 65536):
        parts.append(part)
    os.close(reading)
    if status := os.waitpid(pid, 0)[1]:
        raise RuntimeError(f"{command[0]} ended with status {status}")
    return b"".join(parts)


def once(program: Program, *, code: str | None = None) -> dict[str, Any]:
    if code is not None:
        program.write(code)
        program.forget()
    began = time.perf_counter()
    program.run()
    return {"seconds": time.perf_counter() - began}


def load(program: Program, *, clients: int, seconds: float) -> dict[str, Any]:
    """`clients` threads that run the program one time after the other."""
    before, began = _cpu_seconds(), time.perf_counter()

    def client(_number: int) -> int:
        runs = 0
        while time.perf_counter() < began + seconds:
            program.run()
            runs += 1
        return runs

    with ThreadPoolExecutor(clients) as pool:
        runs = sum(pool.map(client, range(clients)))
    return {"runs": runs, "seconds": time.perf_counter() - began, "cpu_seconds": _cpu_seconds() - before}


def _cpu_seconds() -> float:
    """The programs' time, and the kernel's for starting them."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime + resource.getrusage(resource.RUSAGE_SELF).ru_stime


def main() -> None:
    manifest = Manifest.from_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    code, expected = json.loads(sys.stdin.readline())
    enter(Path(manifest.root))
    program = Program(manifest, code, expected.encode())
    for line in sys.stdin:
        command = json.loads(line)
        what = command.pop("do")
        print(json.dumps(once(program, **command) if what == "once" else load(program, **command)), flush=True)


if __name__ == "__main__":
    main()
