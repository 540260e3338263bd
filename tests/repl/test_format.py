"""Formatters, language by language, in the real sandbox."""

import pytest

from execution.repl.languages import LANGUAGES
from execution.repl.tools import ToolRefused, format_code
from execution.repl.tools.formatting import FORMATTERS
from execution.tool_runs import is_installed
from tests.cast import Cast
from tests.repl.test_lint import caller_of

pytestmark = pytest.mark.usefixtures("sandbox")

PROGRAMS = {
    "python": ("x=1\nif x :\n  print( 'a' )\n", 'x = 1\nif x:\n    print("a")\n'),
    "ruby": ("def  f( a,b )\n  x = 1\n puts a\nend\n", "def f(a, b)\n  x = 1\n  puts a\nend\n"),
    "php": ("<?php\nif(1){echo   'a';}\n", '<?php\nif (1) {\n    echo "a";\n}\n'),
    "nodejs": ("let x={a:1,b:[2,3]}\n", "let x = { a: 1, b: [2, 3] };\n"),
    "java": (
        "class Main{int f(int x){return x;}}",
        "class Main {\n    int f(int x) {\n        return x;\n    }\n}\n",
    ),
    "csharp": (
        'class A{static void Main(){System.Console.WriteLine("a");}}\n',
        'class A\n{\n    static void Main()\n    {\n        System.Console.WriteLine("a");\n    }\n}\n',
    ),
    "c": ("int main(void){int x=1;return x;}\n", "int main(void) {\n    int x = 1;\n    return x;\n}\n"),
    "cpp": ("int main(){auto x=1;return x;}\n", "int main() {\n    auto x = 1;\n    return x;\n}\n"),
    "cpp11": ("int main(){auto x=1;return x;}\n", "int main() {\n    auto x = 1;\n    return x;\n}\n"),
    "go": ("package main\nfunc main( ){\nx:=1\n_=x}\n", "package main\n\nfunc main() {\n\tx := 1\n\t_ = x\n}\n"),
    "rust": ("fn main(){let x=1;f(x)}\n", "fn main() {\n    let x = 1;\n    f(x)\n}\n"),
}
UNREADABLE = {
    "python": ("x = (\n", "Failed to parse"),
    "ruby": ("def f(\n", "Lint/Syntax"),
    "php": ("<?php\nif (\n", "SyntaxError"),
    "nodejs": ("let x = {;\n", "SyntaxError"),
    "go": ("package main\nfunc {\n", "2:6: expected"),
    "rust": ("fn main( {\n", "error"),
}


async def formatted(cast: Cast, language: str, code: str) -> str:
    toolchain = FORMATTERS[language].toolchain
    if not is_installed(toolchain):
        pytest.skip(f"{toolchain} is not installed here")
    return await format_code(caller_of(cast), language, code)


def test_every_formatter_is_tried() -> None:
    assert set(PROGRAMS) == set(FORMATTERS) - {"python3"}
    assert set(FORMATTERS) <= set(LANGUAGES)


@pytest.mark.parametrize("language", PROGRAMS)
async def test_a_program_gets_its_languages_layout(cast: Cast, language: str) -> None:
    code, expected = PROGRAMS[language]
    assert await formatted(cast, language, code) == expected


@pytest.mark.parametrize("language", UNREADABLE)
async def test_what_cannot_be_read_is_refused_in_the_formatters_words(cast: Cast, language: str) -> None:
    code, words = UNREADABLE[language]
    with pytest.raises(ToolRefused, match=words):
        await formatted(cast, language, code)


async def test_php_keeps_doing_without_its_tag(cast: Cast) -> None:
    assert await formatted(cast, "php", "if(1){echo 2;}") == "if (1) {\n    echo 2;\n}\n"


async def test_what_has_no_formatter_is_refused_in_words(cast: Cast) -> None:
    for language in ("fsharp", "lua", "cobol"):
        with pytest.raises(ToolRefused, match=f"There is no formatter for {language}"):
            await format_code(caller_of(cast), language, "x")
