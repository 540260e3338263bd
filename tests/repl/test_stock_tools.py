"""The stock client in Node.js: projects, files, unit tests, linters, formatters and debuggers."""

import json
from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("language", "files", "output"),
    [
        (
            "python3",
            {"other.py": "def up(s): return s.upper()", "main.py": "from other import up\nprint(up('hi'))"},
            "HI\n",
        ),
        ("ruby", {"main.rb": "require_relative 'a'\nputs A", "a.rb": "A = 5"}, "5\n"),
        (
            "php",
            {"lib.php": "<?php function f() { return 5; }", "index.php": "<?php require 'lib.php'; echo f();"},
            "5",
        ),
        ("nodejs", {"b.js": "module.exports = 5", "index.js": "console.log(require('./b'))"}, "5\n"),
        (
            "java",
            {
                "A.java": "class A { static int f() { return 5; } }",
                "Main.java": "class Main { public static void main(String[] a) { System.out.println(A.f()); } }",
            },
            "5\n",
        ),
        (
            "c",
            {
                "f.c": "int f(void) { return 5; }",
                "main.c": '#include <stdio.h>\nint f(void);\nint main(void) { printf("%d\\n", f()); }',
            },
            "5\n",
        ),
    ],
)
def test_projects(stock_client: Callable[..., Any], language: str, files: dict[str, str], output: str) -> None:
    script = """
        const repl = await connected(process.env.LANGUAGE);
        const files = Object.entries(JSON.parse(process.env.FILES)).map(([name, content]) => ({ name, content }));
        return [await repl.runProject(files, say), said];
    """
    verdict = stock_client(script, LANGUAGE=language, FILES=json.dumps(files))
    assert verdict == [{"command": "result", "data": ""}, output]


def test_files_of_a_console_and_of_a_program(stock_client: Callable[..., Any]) -> None:
    script = """
        const verdict = {};
        for (const [language, code] of [
          ["python3", "open('a.txt', 'w').write('héllo')"],
          ["c", '#include <stdio.h>\\nint main() { fputs("h\\u00e9llo", fopen("a.txt", "w")); }'],
        ]) {
          const repl = await connected(language);
          const changes = [];
          repl.on("files", (event) => changes.push(JSON.parse(event.data).map(({ path, size }) => [path, size])));
          await repl.evaluate(code, say);
          const read = await repl.fileContents("a.txt");
          const missing = await repl.fileContents("nothing.txt");
          await repl.fileChanges();
          await until(() => changes.length === 1);
          const removed = await repl.removeFile("a.txt");
          const gone = await repl.fileContents("a.txt");
          await repl.fileChanges();
          await until(() => changes.length === 2);
          verdict[language] = [read, !!missing.error, removed, !!gone.error, changes];
          await repl.disconnect();
        }
        return verdict;
    """
    told = [
        {"command": "file:a.txt", "data": "héllo"},
        True,
        {"command": "removeFile", "data": ""},
        True,
        [[["a.txt", 6]], []],
    ]
    assert stock_client(script) == {"python3": told, "c": told}


SUITES = {
    "ruby": (
        "def add(a, b) = a + b",
        "def test_good\n  assert_equal 3, add(1, 2)\nend\ndef test_bad\n  assert_equal 4, add(1, 2)\nend\n",
    ),
    "python3": (
        "def add(a, b): return a + b",
        "import unittest\nclass UnitTests(unittest.TestCase):\n"
        "    def test_good(self): self.assertEqual(add(1, 2), 3)\n"
        "    def test_bad(self): self.assertEqual(add(1, 2), 4)\n",
    ),
    "nodejs": (
        "exports.add = (a, b) => a + b",
        "const { add } = require('./index');\nconst assert = require('node:assert');\n"
        "describe('add', () => { it('good', () => assert.equal(add(1, 2), 3));"
        " it('bad', () => assert.equal(add(1, 2), 4)); });",
    ),
}


@pytest.mark.parametrize("language", SUITES)
def test_unit_tests(stock_client: Callable[..., Any], language: str) -> None:
    code, suite = SUITES[language]
    script = """
        const repl = await connected(process.env.LANGUAGE);
        const { CODE, SUITE } = process.env;
        const found = await repl.runSingleUnitTests({ code: CODE, suiteCode: SUITE });
        return [found, (await repl.evaluate("6 * 7", say)).data];
    """
    found, after = stock_client(script, LANGUAGE=language, CODE=code, SUITE=suite)
    assert found["passed"] is False
    assert len(found["failures"]) == 1
    assert "bad" in found["failures"][0]["name"]
    assert after == "42"


def test_lint_and_format(stock_client: Callable[..., Any]) -> None:
    script = """
        const repl = await connected("python3");
        const [found, formatted, broken] = [
          await repl.lint("import os\\nx = 1\\n"), await repl.format("x  =  1"), await repl.format("x ="),
        ];
        const c = await connected("go");
        return [found.data, formatted, Object.keys(broken), (await c.format("package main\\nfunc  main( ) {}")).code];
    """
    (finding, *_), formatted, broken, go = stock_client(script)
    assert (finding["line"], finding["severity"]) == (1, finding["severity"])
    assert "os" in finding["message"]
    assert formatted == {"code": "x = 1\n"}
    assert broken == ["error"]
    assert go == "package main\n\nfunc main() {}\n"


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python3", "def f(n):\n    m = n * 2\n    return m\nx = f(4)\nprint(x)\n"),
        ("nodejs", "function f(n) {\n  const m = n * 2;\n  return m;\n}\nconst x = f(4);\nconsole.log(x);\n"),
    ],
)
def test_the_debugger_steps_through_a_program(stock_client: Callable[..., Any], language: str, code: str) -> None:
    script = """
        const repl = await connected(process.env.LANGUAGE);
        const debug = repl.debug(process.env.CODE, say);
        const stacks = [];
        let info;
        for (let i = 0; i < 50 && !(info = await debug.step()).done; i++) stacks.push(info.stack);
        const result = await debug.result();
        const after = await debug.step();
        const again = repl.debug(process.env.CODE, say);
        const resumed = await again.resume();
        return [stacks, info, result, after, resumed, said];
    """
    stacks, info, result, after, resumed, said = stock_client(script, LANGUAGE=language, CODE=code)
    assert max(map(len, stacks)) > min(map(len, stacks)), stacks
    assert all(set(frame) == {"function", "file", "line", "locals"} for stack in stacks for frame in stack)
    assert any(stack[0]["function"] == "f" and "n" in stack[0]["locals"] for stack in stacks), stacks
    assert (info["done"], info["stack"]) == (True, [])
    assert (result, resumed) == ({"command": "result", "data": ""}, {"command": "result", "data": ""})
    assert after == {"done": True, "stack": []}
    assert said == "8\n8\n"


def test_a_program_that_does_not_parse_is_told_in_place_of_its_debugger(stock_client: Callable[..., Any]) -> None:
    script = """
        const repl = await connected("python3");
        await repl.reset();
        repl._sendMessage("debuggerStart", "x ===");
        const result = await repl._onMessage(/^result$/);
        return [result.data, result.error.includes("SyntaxError")];
    """
    assert stock_client(script) == ["", True]


def test_a_language_without_a_debugger_says_so_at_the_end_of_the_program(stock_client: Callable[..., Any]) -> None:
    script = """
        const debug = (await connected("ruby")).debug("puts 1", say);
        return [await debug.step(), (await debug.result()).error];
    """
    assert stock_client(script) == [{"done": True, "stack": []}, "There is no debugger for ruby here."]
