"""What linters find, language by language, in the real sandbox."""

from typing import Any

import pytest

from accounts.caller import Caller
from execution.repl.languages import LANGUAGES
from execution.repl.tools import ToolRefused, lint
from execution.repl.tools.linting import LINTERS
from execution.tool_runs import is_installed
from tests.cast import Cast

pytestmark = pytest.mark.usefixtures("sandbox")

# A program that is right, one that cannot be one, and one that is doubtful: the code, and the findings' (line, column,
# severity, part of the message). A column of None is the linter's own affair.
RIGHT = {
    "python": "import os\n\nprint(os.getcwd())\n",
    "ruby": "puts [1, 2].sum\n",
    "php": "<?php\necho strlen('abc');\n",
    "nodejs": "const fs = require('fs');\nconsole.log(fs.readFileSync(__filename).length);\n",
    "java": (
        "public class Hello {\n    public static void main(String[] args) {\n"
        '        System.out.println("hi");\n    }\n}\n'
    ),
    "go": 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("hi")\n}\n',
    "csharp": 'Console.WriteLine("hi");\n',
    "fsharp": 'printfn "hi"\n',
    "c": '#include <stdio.h>\nint main(void) { puts("hi"); }\n',
    "cpp": "#include <iostream>\nint main() { std::cout << 1; }\n",
    "cpp11": "int main() { auto f = [](int x) { return x; }; return f(0); }\n",
    "rust": 'fn main() {\n    println!("hi");\n}\n',
    "lua": "print('hi')\n",
}
WRONG: dict[str, tuple[str, tuple[int, int | None, str, str]]] = {
    "python": ("x = 1\nif x\n    pass\n", (2, 5, "error", "Expected `:`")),
    "ruby": ("x = 1\nputs (x\n", (2, None, "error", "expected")),
    "php": ("<?php\n$x = 1;\necho $x $x;\n", (3, 1, "error", "syntax error, unexpected variable")),
    "nodejs": ("let x = 1;\nlet x = 2;\n", (2, 5, "error", "already been declared")),
    "java": ("class Main {\n    int x = y;\n}\n", (2, 13, "error", "cannot find symbol")),
    "go": ("package main\n\nfunc main() {\n\tx := 1\n}\n", (4, 2, "error", "declared and not used: x")),
    "csharp": ("int x = 1;\nint y = z;\n", (2, 9, "error", "CS0103")),
    "fsharp": ("let x = 1\nlet y = z\n", (2, 9, "error", "is not defined")),
    "c": ("int main(void) {\n    return x;\n}\n", (2, 12, "error", "undeclared")),
    "cpp": ("int main() {\n    return x;\n}\n", (2, 12, "error", "not declared")),
    "cpp11": ("int main() {\n    return x;\n}\n", (2, 12, "error", "not declared")),
    "rust": ('fn main() {\n    let x: i32 = "a";\n}\n', (2, 18, "error", "mismatched types")),
    "lua": ("x = 1\nif x print(x) end\n", (2, 1, "error", "'then' expected near 'print'")),
}
DOUBTFUL: dict[str, tuple[str, tuple[int, int | None, str, str]]] = {
    "python": ("import os\n", (1, 8, "warning", "`os` imported but unused (F401)")),
    "ruby": ("def f\n  x = 1\nend\n", (2, 3, "warning", "unused variable - x")),
    "nodejs": ("const x = 1;\n", (1, 7, "warning", "(no-unused-vars)")),
    "java": (
        "import java.util.*;\nclass Main {\n    List<String> x = new ArrayList();\n}\n",
        (3, 26, "warning", "[rawtypes] found raw type: ArrayList"),
    ),
    "go": (
        'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Printf("%d\\n", "x")\n}\n',
        (6, 14, "warning", "wrong type"),
    ),
    "csharp": ("void f() { int x; }\nf();\n", (1, 16, "warning", "CS0168")),
    "fsharp": (
        "let f x =\n    match x with\n    | 1 -> 2\nf 1 |> ignore\n",
        (2, 11, "warning", "Incomplete pattern matches"),
    ),
    "c": ("int main(void) {\n    int x;\n}\n", (2, 9, "warning", "unused variable")),
    "cpp": ("int main() {\n    int x;\n}\n", (2, 9, "warning", "unused variable")),
    "rust": ("fn main() {\n    let x = 1;\n}\n", (2, 9, "warning", "unused variable")),
}


def caller_of(cast: Cast) -> Caller:
    return Caller(cast.alice.organisation.pk, cast.alice.api_key_row.pk, "api")


def needs_linter(language: str) -> None:
    if not is_installed(LINTERS[language].toolchain):
        pytest.skip(f"{LINTERS[language].toolchain} is not installed here")


async def found(cast: Cast, language: str, code: str) -> list[dict[str, Any]]:
    needs_linter(language)
    return await lint(caller_of(cast), language, code)


def matching(findings: list[dict[str, Any]], expected: tuple[int, int | None, str, str]) -> list[dict[str, Any]]:
    line, column, severity, message = expected
    return [
        finding
        for finding in findings
        if (finding["line"], finding["severity"]) == (line, severity)
        and column in (None, finding["column"])
        and message in finding["message"]
    ]


def test_every_language_has_a_linter() -> None:
    assert set(LANGUAGES) <= set(LINTERS)
    assert set(RIGHT) == set(WRONG) == set(LINTERS) - {"python3"}


@pytest.mark.parametrize("language", RIGHT)
async def test_nothing_is_found_in_a_program_that_is_right(cast: Cast, language: str) -> None:
    assert await found(cast, language, RIGHT[language]) == []


@pytest.mark.parametrize("language", WRONG)
async def test_what_cannot_be_a_program_is_an_error_at_its_place(cast: Cast, language: str) -> None:
    code, expected = WRONG[language]
    findings = await found(cast, language, code)
    assert matching(findings, expected), findings


@pytest.mark.parametrize("language", DOUBTFUL)
async def test_what_is_doubtful_is_a_warning_at_its_place(cast: Cast, language: str) -> None:
    code, expected = DOUBTFUL[language]
    findings = await found(cast, language, code)
    assert matching(findings, expected), findings
    assert all(finding["severity"] != "error" for finding in findings), findings


async def test_an_undefined_name_is_an_error_also_where_it_only_fails_when_run(cast: Cast) -> None:
    for language, code in {"python": "print(x)\n", "nodejs": "console.log(x);\n"}.items():
        (finding,) = await found(cast, language, code)
        assert (finding["line"], finding["severity"]) == (1, "error")


async def test_modules_and_scripts_are_told_apart(cast: Cast) -> None:
    assert await found(cast, "nodejs", "import fs from 'fs';\nawait fs.promises.stat('.');\n") == []
    assert await found(cast, "nodejs", "console.log(module.id, globalThis);\n") == []


async def test_what_has_no_place_is_told_at_the_top(cast: Cast) -> None:
    (finding,) = await found(cast, "csharp", "class A { }\n")
    assert (finding["line"], finding["column"], finding["severity"]) == (1, 1, "error")
    assert "Main" in finding["message"]


async def test_php_needs_no_tag(cast: Cast) -> None:
    assert await found(cast, "php", "echo 1;\n") == []


async def test_columns_are_characters(cast: Cast) -> None:
    (finding,) = await found(cast, "python", "x = 'äöü', y\n")
    assert finding["column"] == 12


async def test_an_empty_program_and_one_of_odd_bytes_are_no_failure(cast: Cast) -> None:
    for language in ("python", "ruby", "nodejs"):
        assert await found(cast, language, "") == []
        assert isinstance(await found(cast, language, "\x00\ud800"), list)


async def test_an_unknown_language_is_refused_in_words(cast: Cast) -> None:
    with pytest.raises(ToolRefused, match="There is no linter for cobol"):
        await lint(caller_of(cast), "cobol", "x")


async def test_a_compiler_that_goes_on_for_ever_is_stopped(cast: Cast) -> None:
    needs_linter("cpp")
    endless = (
        "constexpr int f(int n) { for (long i = 0; i < 1L << 60; i++) n ^= i; return n; }\nconstexpr int x = f(1);"
    )
    findings = await lint(caller_of(cast), "cpp", f"{endless}\nint main() {{}}\n")
    assert any("constexpr" in finding["message"] for finding in findings)
