"""Format: a program in its language's usual layout."""

from dataclasses import dataclass
from typing import Final

from accounts.caller import Caller
from execution.repl.tools.refusals import ToolRefused
from execution.sandbox.job import Outcome
from execution.tool_runs import run_tool


@dataclass(frozen=True, slots=True)
class Formatter:
    """`command` runs in the root of `toolchain`, takes the program on its standard input and prints it anew. It lies
    beside it as `file` too."""

    toolchain: str
    file: str
    command: tuple[str, ...]


_RUFF: Final = ("/usr/local/bin/ruff", "format", "--isolated", "--no-cache", "--stdin-filename=main.py", "-")
_PRETTIER: Final = ("/usr/local/bin/node", "/opt/code-tools/node_modules/prettier/bin/prettier.cjs", "--no-config")
_PHP: Final = "--plugin=/opt/code-tools/node_modules/@prettier/plugin-php/src/index.mjs"
_FOUR: Final = "BasedOnStyle: Google, IndentWidth: 4, AccessModifierOffset: -4, ColumnLimit: 100"
# As .NET's own tools lay C# out.
_MICROSOFT: Final = "BasedOnStyle: Microsoft, ColumnLimit: 120"


def _clang(file: str, style: str = _FOUR) -> Formatter:
    options = (f"--assume-filename={file}", f"--style={{{style}, InsertNewlineAtEOF: true}}")
    return Formatter("code-tools", file, ("/usr/local/bin/clang-format", *options))


FORMATTERS: Final[dict[str, Formatter]] = {
    "python": Formatter("code-tools", "main.py", _RUFF),
    "ruby": Formatter(
        "code-tools",
        "main.rb",
        (
            *("/usr/bin/rubocop", "--fix-layout", "--only", "Layout,Lint/Syntax", "--cache", "false", "--stderr"),
            *("--disable-pending-cops", "--format", "emacs", "--fail-level", "fatal", "--stdin", "main.rb"),
        ),
    ),
    "php": Formatter("code-tools", "main.php", (*_PRETTIER, _PHP, "--stdin-filepath=main.php")),
    "nodejs": Formatter("code-tools", "main.js", (*_PRETTIER, "--stdin-filepath=main.js")),
    "java": _clang("Main.java"),
    "csharp": _clang("Program.cs", _MICROSOFT),
    "c": _clang("main.c"),
    "cpp": _clang("main.cpp"),
    "go": Formatter("go-1.26", "main.go", ("/usr/local/go/bin/gofmt",)),
    "rust": Formatter("code-tools", "main.rs", ("/usr/bin/rustfmt", "--edition=2024")),
}
FORMATTERS["python3"] = FORMATTERS["python"]
FORMATTERS["cpp11"] = FORMATTERS["cpp"]


async def format_code(caller: Caller, language: str, code: str, *, connection: str | None = None) -> str:
    """The program in its language's usual layout. Raises ToolRefused with the formatter's words about a program that it
    cannot read, and what `run_tool` raises."""
    formatter = FORMATTERS.get(language)
    if formatter is None:
        raise ToolRefused(f"There is no formatter for {language}.")
    # Unlike the language itself here, its formatter insists on the tag.
    untagged = language == "php" and "<?" not in code
    text = (f"<?php\n{code}" if untagged else code).encode("utf-8", "replace")
    result = await run_tool(
        caller=caller,
        toolchain=formatter.toolchain,
        command=formatter.command,
        files={formatter.file: text},
        entrypoint=formatter.file,
        stdin=text,
        connection=connection,
    )
    if result.outcome is Outcome.TIME_LIMIT:
        raise ToolRefused("The formatter took too long over this program, and was stopped.")
    if result.outcome is not Outcome.SUCCESS:
        raise ToolRefused(result.stderr.decode(errors="replace").strip() or "The formatter cannot read this program.")
    formatted = result.stdout.decode()
    return formatted.removeprefix("<?php\n").lstrip("\n") if untagged else formatted
