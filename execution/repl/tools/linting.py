"""Lint: what a linter or a compiler finds in a program that is not run."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from accounts.caller import Caller
from execution.repl.tools.findings import Finding, as_data, of_javac, of_json, of_lines, of_ruff, of_rustc
from execution.repl.tools.refusals import ToolRefused
from execution.sandbox.job import Outcome, Result
from execution.tool_runs import run_tool

PROGRAMS: Final = Path(__file__).with_name("programs")


@dataclass(frozen=True, slots=True)
class Linter:
    """`command` runs in the root of `toolchain` over the program, which lies there as `file`, and `read` takes what it
    printed. `programs` lie beside it."""

    toolchain: str
    file: str
    command: tuple[str, ...]
    read: Callable[[str], list[Finding]]
    programs: Mapping[str, bytes] = field(default_factory=dict)


def _ours(name: str) -> dict[str, bytes]:
    return {name: (PROGRAMS / name).read_bytes()}


# FILE:LINE:COLUMN: SEVERITY: MESSAGE
_GCC = of_lines(
    r"^[^\s:]+:(?P<line>\d+):(?:(?P<column>\d+):)? (?P<severity>fatal error|error|warning): (?P<message>.*)$"
)
# FILE(LINE,COLUMN): SEVERITY CODE: MESSAGE
_DOTNET = of_lines(r"^\S+?\((?P<line>\d+),(?P<column>\d+)\): (?P<severity>error|warning|info) (?P<message>.*)$")
_RUFF = ("check", "--isolated", "--no-cache", "--output-format=json", "--select=E4,E7,E9,F,B,PLE")


def _gcc(toolchain: str, file: str, *options: str) -> Linter:
    program = f"/usr/bin/{toolchain}"
    common = ("-fsyntax-only", "-Wall", "-Wextra", "-fdiagnostics-plain-output")
    return Linter(toolchain, file, (program, *options, *common, "{entrypoint}"), _GCC)


LINTERS: Final[dict[str, Linter]] = {
    "python": Linter("code-tools", "main.py", ("/usr/local/bin/ruff", *_RUFF, "{entrypoint}"), of_ruff),
    "ruby": Linter(
        "ruby-4.0", "main.rb", ("/usr/local/bin/ruby", "prism.rb", "{entrypoint}"), of_json, _ours("prism.rb")
    ),
    "php": Linter(
        "php-8.5",
        "main.php",
        ("/usr/bin/php8.5", "-d", "auto_prepend_file=", "-l", "{entrypoint}"),
        of_lines(
            r"^(?:PHP )?(?P<severity>Parse error|Fatal error|Warning|Deprecated|Notice): +"
            r"(?P<message>.*) in \S+ on line (?P<line>\d+)$"
        ),
    ),
    "nodejs": Linter(
        "code-tools",
        "main.js",
        ("/usr/local/bin/node", "eslint.mjs", "{entrypoint}"),
        of_json,
        _ours("eslint.mjs"),
    ),
    "java": Linter(
        "openjdk-25", "Main.java", ("/bin/sh", "javalint.sh", "{entrypoint}"), of_javac, _ours("javalint.sh")
    ),
    "go": Linter(
        "go-1.26",
        "main.go",
        ("/bin/sh", "golint.sh", "{entrypoint}"),
        of_lines(r"^\S*?main\.go:(?P<line>\d+):(?P<column>\d+): (?:(?P<severity>warning): )?(?P<message>.*)$"),
        _ours("golint.sh"),
    ),
    "csharp": Linter("dotnet-csharp-9", "Program.cs", ("/usr/local/bin/csharp-compile", "{entrypoint}"), _DOTNET),
    "fsharp": Linter("dotnet-fsharp-9", "Program.fs", ("/usr/local/bin/fsharp-compile", "{entrypoint}"), _DOTNET),
    "c": _gcc("gcc-15", "main.c"),
    "cpp": _gcc("g++-15", "main.cpp", "-std=c++23"),
    "rust": Linter(
        "rust-1.93",
        "main.rs",
        (
            *("/usr/local/bin/rustc", "--edition=2024", "--crate-name=main", "@/usr/local/lib/runcode/rustc.args"),
            *("--emit=metadata", "--error-format=json", "-o", "/build/program", "{entrypoint}"),
        ),
        of_rustc,
    ),
    "lua": Linter(
        "lua-5.4",
        "main.lua",
        ("/usr/bin/luac5.4", "-p", "{entrypoint}"),
        of_lines(r"^\S+: \S+?:(?P<line>\d+): (?P<message>.*)$"),
    ),
}
LINTERS["python3"] = LINTERS["python"]
# By the standard that it is compiled by here.
LINTERS["cpp11"] = LINTERS["cpp"]


async def lint(caller: Caller, language: str, code: str, *, connection: str | None = None) -> list[dict[str, Any]]:
    """What is wrong or doubtful in a program: `[{line, column, severity, message}]`, at most 200, in its order.

    Syntax errors are findings too. `severity` is error, warning or info; where a linter tells no column it is 1.
    Raises ToolRefused, and what `run_tool` raises.
    """
    linter = LINTERS.get(language)
    if linter is None:
        raise ToolRefused(f"There is no linter for {language}.")
    file, text = _as_file(language, linter.file, code)
    result = await run_tool(
        caller=caller,
        toolchain=linter.toolchain,
        command=linter.command,
        files={file: text.encode("utf-8", "replace"), **linter.programs},
        entrypoint=file,
        connection=connection,
    )
    return as_data(_read(linter, result))


def _read(linter: Linter, result: Result) -> list[Finding]:
    if result.outcome is Outcome.TIME_LIMIT:
        raise ToolRefused("The linter took too long over this program, and was stopped.")
    output = f"{result.stdout.decode(errors='replace')}\n{result.stderr.decode(errors='replace')}"
    found = linter.read(output)
    if found or result.exit_code == 0:
        return found
    words = output.strip()
    if result.outcome is not Outcome.RUNTIME_ERROR or not words:
        raise ToolRefused("The linter could not take this program: it ended before it said anything.")
    # About the program as a whole: it has no entry point, say.
    return [Finding(1, 1, "error", words.splitlines()[0])]


_PUBLIC_TYPE: Final = re.compile(r"^\s*public\s+(?:[a-z-]+\s+)*?(?:class|interface|enum|record)\s+(\w+)", re.MULTILINE)


def _as_file(language: str, file: str, code: str) -> tuple[str, str]:
    """Under the name that the linter wants, with the same lines. What runs here takes more than the linters do."""
    if language == "java" and (public := _PUBLIC_TYPE.search(code)):
        return f"{public[1]}.java", code
    if language == "php" and "<?" not in code:
        return file, f"<?php {code}"
    return file, code
