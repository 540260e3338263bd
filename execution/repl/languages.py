"""The languages of the ReplitClient protocol, by the names that its clients call them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from execution.catalogue import COMPILERS, Compiler


@dataclass(frozen=True, slots=True)
class Language:
    """`compiler_id` is the toolchain that it runs on. `kernel` keeps the state of an interpreted language between two
    evaluations; without one each evaluation is a program of its own. `debugger` is the kernel that debugs it."""

    name: str
    compiler_id: str
    kernel: str | None = None
    debugger: str | None = None

    @property
    def compiler(self) -> Compiler:
        return COMPILERS[self.compiler_id]


LANGUAGES: Final = {
    language.name: language
    for language in (
        Language("python3", "python-3.14", "python_repl", "python_debugger"),
        Language("python", "python-3.14", "python_repl", "python_debugger"),
        Language("ruby", "ruby-4.0", "ruby"),
        Language("php", "php-8.5", "php"),
        Language("nodejs", "node", "nodejs", "nodejs_debugger"),
        Language("java", "openjdk-25"),
        Language("go", "go-1.26"),
        Language("csharp", "dotnet-csharp-9"),
        Language("fsharp", "dotnet-fsharp-9"),
        Language("cpp", "g++-15"),
        Language("cpp11", "g++-15"),
        Language("c", "gcc-15"),
        Language("rust", "rust-1.93"),
        Language("lua", "lua-5.4"),
    )
}
"""In the order in which they are listed."""


def entry_of(names: Iterable[str]) -> str:
    """The file that a project starts with: `main.*`, then `index.*`, then `Main.java`, else the first. Raises
    ValueError where there is none at all."""
    paths = list(names)
    for found in (_named("main", paths), _named("index", paths), "Main.java" if "Main.java" in paths else None):
        if found is not None:
            return found
    if not paths:
        raise ValueError("a project has at least one file")
    return paths[0]


def _named(stem: str, paths: Iterable[str]) -> str | None:
    return next((path for path in paths if path.partition(".")[0] == stem and "." in path), None)
