"""The programs of each language, as programs/<id>.toml has them.

[programs]          behaviour → the program that shows it; `hello` is the catalogue's own sample
[expected]          what differs between languages: compile_error (what the message must hold), runtime_error
                    ({exit_code, message}), signal (by which `signal` ends; 9 unless said), recursion (what it
                    prints where ten thousand calls are too many for the language itself)
[several]           a program of several files: its entrypoint, and `files`; it prints `HI`
[absent]            behaviour → why the language has no such thing
[[written]]         programs as people write them: name, code (or entrypoint and files), input, output; libraries:
                    those that it imports, by the names that its toolchain gives them
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from execution.catalogue import COMPILERS

PROGRAMS = Path(__file__).with_name("programs")

BEHAVIOURS = (
    "hello",
    "echo",
    "compile_error",
    "runtime_error",
    "exit",
    "signal",
    "unicode",
    "output",
    "recursion",
    "threads",
    "memory",
    "time",
    "several",
    "write",
    "args",
    "environment",
    "clock",
    "temp",
    "home",
)


@dataclass(frozen=True)
class Language:
    """What the suite knows of a language. `table` is its whole file."""

    id: str
    table: dict[str, Any]

    @property
    def file_name(self) -> str:
        return COMPILERS[self.id].file_name

    def absent(self, behaviour: str) -> str | None:
        """Why the language lacks a behaviour; None where it has it."""
        reason: str | None = self.table.get("absent", {}).get(behaviour)
        return reason

    def files(self, behaviour: str) -> tuple[str, dict[str, bytes]]:
        """The program that shows a behaviour: its entrypoint and its files. Raises KeyError when there is none."""
        if behaviour == "several":
            return _files(self.table["several"], self.file_name)
        code = COMPILERS[self.id].sample if behaviour == "hello" else self.table["programs"][behaviour]
        return _files({"code": code}, self.file_name)

    def written(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.table.get("written", [])
        return found

    def written_files(self, program: dict[str, Any]) -> tuple[str, dict[str, bytes]]:
        return _files(program, self.file_name)


def _files(program: dict[str, Any], file_name: str) -> tuple[str, dict[str, bytes]]:
    entrypoint = program.get("entrypoint", file_name)
    files = dict(program.get("files", {}))
    if "code" in program:
        files[entrypoint] = program["code"]
    return entrypoint, {path: text.encode() for path, text in files.items()}


LANGUAGES = {
    path.stem: Language(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    for path in sorted(PROGRAMS.glob("*.toml"))
}
