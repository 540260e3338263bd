"""The stock client in Node.js against the running service, method by method."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from execution.repl.languages import LANGUAGES
from tests.repl import stock
from tests.server import Service

Token = Callable[..., str]

INTERPRETED = ("python3", "ruby", "php", "nodejs")
COMPILED = [name for name, language in LANGUAGES.items() if language.kernel is None]


@pytest.fixture
def client(service: Service, token: Token) -> Callable[..., Any]:
    """Runs a script with the stock client; gives its verdict."""
    return lambda script, **environment: stock.run(service, token(), script, **environment)


@pytest.mark.parametrize(
    ("language", "first", "more", "last", "value"),
    [
        ("python3", "x = 0", "x += 1", "x", "50"),
        ("python", "x = 0", "x += 1", "x", "50"),
        ("ruby", "x = 0", "x += 1", "x", "50"),
        ("php", "$x = 0;", "$x += 1;", "$x", "50"),
        ("nodejs", "let x = 0", "x += 1", "x", "50"),
    ],
)
def test_state_is_kept_over_50_evaluations(
    client: Callable[..., Any], language: str, first: str, more: str, last: str, value: str
) -> None:
    script = """
        const repl = await connected(process.env.LANGUAGE);
        await repl.evaluate(process.env.FIRST, say);
        for (let i = 0; i < 50; i++) await repl.evaluate(process.env.MORE, say);
        return repl.evaluate(process.env.LAST, say);
    """
    verdict = client(script, LANGUAGE=language, FIRST=first, MORE=more, LAST=last)
    assert verdict == {"command": "result", "data": value}


@pytest.mark.parametrize("language", COMPILED)
def test_each_evaluation_of_a_compiled_language_is_a_program(client: Callable[..., Any], language: str) -> None:
    script = """
        const repl = await connected(process.env.LANGUAGE);
        const results = [await repl.evaluate(process.env.CODE, say), await repl.evaluate(process.env.CODE, say)];
        return [said, results];
    """
    sample = LANGUAGES[language].compiler.sample
    result = {"command": "result", "data": ""}
    assert client(script, LANGUAGE=language, CODE=sample) == ["Hello, World!\n" * 2, [result, result]]


@pytest.mark.parametrize(
    ("language", "code", "parts"),
    [
        ("python3", "def f():\n    return 1 / 0\nf()", ["Traceback", "line 2, in f", "ZeroDivisionError"]),
        ("ruby", "def f = 1 / 0\nf", ["(irb):1", "divided by 0 (ZeroDivisionError)"]),
        ("php", "throw new Exception('why');", ["Uncaught Exception: why", "php shell code:1"]),
        ("nodejs", "null.x", ["TypeError: Cannot read properties of null", "REPL1:1:6"]),
        ("java", 'class Main { public static void main(String[] a) { throw new Error("why"); } }', ["Error: why"]),
        ("rust", 'fn main() { let x: i32 = "a"; }', ["error[E0308]", "mismatched types"]),
        ("c", "int main(void) { return 3; }", ["exit status 3"]),
    ],
)
def test_an_error_is_the_traceback(client: Callable[..., Any], language: str, code: str, parts: list[str]) -> None:
    script = "return (await connected(process.env.LANGUAGE)).evaluate(process.env.CODE, say)"
    result = client(script, LANGUAGE=language, CODE=code)
    assert result["data"] == ""
    for part in parts:
        assert part in result["error"]
    assert "kernel" not in result["error"]


def test_a_value_s_error_leaves_the_state(client: Callable[..., Any]) -> None:
    script = """
        const verdict = {};
        for (const [language, set, fail, get] of [
          ["python3", "x = 6 * 7", "1 / 0", "x"],
          ["ruby", "x = 6 * 7", "raise 'no'", "x"],
          ["php", "$x = 6 * 7;\\nfunction f() {}", "function f() {}", "$x"],
          ["nodejs", "var x = 6 * 7", "throw 1", "x"],
        ]) {
          const repl = await connected(language);
          await repl.evaluate(set, say);
          const failed = await repl.evaluate(fail, say);
          verdict[language] = [!!failed.error, (await repl.evaluate(get, say)).data];
          await repl.disconnect();
        }
        return verdict;
    """
    assert client(script) == {language: [True, "42"] for language in INTERPRETED}


@pytest.mark.parametrize(
    ("language", "endless", "value"),
    [
        ("python3", "x = 1\nprint('begun')\nwhile True: pass", "6 * 7"),
        ("ruby", "x = 1\nputs 'begun'\nloop {}", "6 * 7"),
        ("php", "$x = 1; echo 'begun'; while (true);", "6 * 7"),
        ("nodejs", "var x = 1; console.log('begun'); while (true);", "6 * 7"),
    ],
)
@pytest.mark.parametrize("method", ["stop", "reset"])
def test_stopping_an_endless_loop(
    client: Callable[..., Any], language: str, endless: str, value: str, method: str
) -> None:
    script = """
        const repl = await connected(process.env.LANGUAGE);
        const running = repl.evaluate(process.env.ENDLESS, say);
        await until(() => said.includes("begun"));
        const ready = await repl[process.env.METHOD]();
        const again = await repl.evaluate(process.env.VALUE, say);
        const gone = await repl.evaluate(process.env.LANGUAGE === "php" ? "isset($x)" : "x", say);
        return [ready, await running, again.data, gone.data === "false" || !!gone.error];
    """
    verdict = client(script, LANGUAGE=language, ENDLESS=endless, VALUE=value, METHOD=method)
    assert verdict == [{"command": "ready", "data": ""}, {"command": "result", "data": ""}, "42", True]


def test_stopping_a_compiled_program_and_what_is_idle(client: Callable[..., Any]) -> None:
    script = """
        const repl = await connected("c");
        await repl.stop();
        const code = '#include <stdio.h>\\nint main() { puts("begun"); fflush(stdout); for (;;); }';
        const running = repl.evaluate(code, say);
        await until(() => said.includes("begun"));
        await repl.stop();
        await repl.stop();
        const after = await repl.evaluate("int main() { return 0; }", say);
        return [await running, after];
    """
    result = {"command": "result", "data": ""}
    assert client(script) == [result, result]


def test_input_reaches_the_program_also_right_after_the_evaluation(client: Callable[..., Any]) -> None:
    script = """
        const verdict = {};
        for (const [language, code] of [
          ["python3", "input('? ')"],
          ["ruby", "gets.chomp"],
          ["php", "trim(fgets(STDIN))"],
          ["nodejs", "await new Promise((got) => process.stdin.once('data', (data) => got(String(data).trim())))"],
          ["go", 'package main\\nimport "fmt"\\nfunc main() { var s string; fmt.Scan(&s); fmt.Print("<", s, ">") }'],
        ]) {
          const repl = await connected(language);
          said = "";
          const answer = repl.evaluate(code, say);
          await repl.write("5\\n");
          verdict[language] = [said, (await answer).data];
          verdict[language][0] = said;
          await repl.disconnect();
        }
        return verdict;
    """
    assert client(script) == {
        "python3": ["? ", "'5'"],
        "ruby": ["", '"5"'],
        "php": ["", '"5"'],
        "nodejs": ["", "'5'"],
        "go": ["<5>", ""],
    }


def test_numbers_may_be_written(client: Callable[..., Any]) -> None:
    script = """
        const repl = await connected("python3");
        const answer = repl.evaluate("input()", say);
        await repl.write(5);
        await repl.write("\\n");
        return (await answer).data;
    """
    assert client(script) == "'5'"


def test_output_comes_while_the_program_runs(client: Callable[..., Any]) -> None:
    script = """
        const repl = await connected("python3");
        const running = repl.evaluate("print('before')\\ninput()\\nprint('after')", say);
        await until(() => said === "before\\n");
        await repl.write("\\n");
        return [await running, said];
    """
    assert client(script) == [{"command": "result", "data": ""}, "before\nafter\n"]


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
def test_projects(client: Callable[..., Any], language: str, files: dict[str, str], output: str) -> None:
    script = """
        const repl = await connected(process.env.LANGUAGE);
        const files = Object.entries(JSON.parse(process.env.FILES)).map(([name, content]) => ({ name, content }));
        return [await repl.runProject(files, say), said];
    """
    verdict = client(script, LANGUAGE=language, FILES=json.dumps(files))
    assert verdict == [{"command": "result", "data": ""}, output]


def test_files_of_a_console_and_of_a_program(client: Callable[..., Any]) -> None:
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
    assert client(script) == {"python3": told, "c": told}


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
def test_unit_tests(client: Callable[..., Any], language: str) -> None:
    code, suite = SUITES[language]
    script = """
        const repl = await connected(process.env.LANGUAGE);
        const { CODE, SUITE } = process.env;
        const found = await repl.runSingleUnitTests({ code: CODE, suiteCode: SUITE });
        return [found, (await repl.evaluate("6 * 7", say)).data];
    """
    found, after = client(script, LANGUAGE=language, CODE=code, SUITE=suite)
    assert found["passed"] is False
    assert len(found["failures"]) == 1
    assert "bad" in found["failures"][0]["name"]
    assert after == "42"


def test_lint_and_format(client: Callable[..., Any]) -> None:
    script = """
        const repl = await connected("python3");
        const [found, formatted, broken] = [
          await repl.lint("import os\\nx = 1\\n"), await repl.format("x  =  1"), await repl.format("x ="),
        ];
        const c = await connected("go");
        return [found.data, formatted, Object.keys(broken), (await c.format("package main\\nfunc  main( ) {}")).code];
    """
    (finding, *_), formatted, broken, go = client(script)
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
def test_the_debugger_steps_through_a_program(client: Callable[..., Any], language: str, code: str) -> None:
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
    stacks, info, result, after, resumed, said = client(script, LANGUAGE=language, CODE=code)
    assert max(map(len, stacks)) > min(map(len, stacks)), stacks
    assert all(set(frame) == {"function", "file", "line", "locals"} for stack in stacks for frame in stack)
    assert any(stack[0]["function"] == "f" and "n" in stack[0]["locals"] for stack in stacks), stacks
    assert (info["done"], info["stack"]) == (True, [])
    assert (result, resumed) == ({"command": "result", "data": ""}, {"command": "result", "data": ""})
    assert after == {"done": True, "stack": []}
    assert said == "8\n8\n"


def test_a_program_that_does_not_parse_is_told_in_place_of_its_debugger(client: Callable[..., Any]) -> None:
    script = """
        const repl = await connected("python3");
        await repl.reset();
        repl._sendMessage("debuggerStart", "x ===");
        const result = await repl._onMessage(/^result$/);
        return [result.data, result.error.includes("SyntaxError")];
    """
    assert client(script) == ["", True]


def test_a_language_without_a_debugger_says_so_at_the_end_of_the_program(client: Callable[..., Any]) -> None:
    script = """
        const debug = (await connected("ruby")).debug("puts 1", say);
        return [await debug.step(), (await debug.result()).error];
    """
    assert client(script) == [{"done": True, "stack": []}, "There is no debugger for ruby here."]


def test_evaluate_once(client: Callable[..., Any]) -> None:
    script = """
        const results = [];
        for (const [language, code] of [
          ["python3", "print('hi')\\n6 * 7"], ["ruby", "puts 'hi'\\n6 * 7"], ["php", "echo \\"hi\\\\n\\"; 6 * 7"],
          ["nodejs", "console.log('hi'); 6 * 7"],
        ]) results.push((await make(language).evaluateOnce(code, say)).data);
        let refused = "";
        await make("cobol").evaluateOnce("1", say).catch((error) => { refused = error.message; });
        return [results, said, refused];
    """
    results, said, refused = client(script)
    assert results == ["42"] * 4
    assert said == "hi\n" * 4
    assert refused.startswith("“cobol” is no language here.")


def test_a_bad_token_and_an_unknown_language_end_in_words(client: Callable[..., Any]) -> None:
    script = """
        const wrong = "1700000000000:" + Buffer.alloc(32).toString("base64");
        let upgrades = 0;
        const counted = globalThis.WebSocket;
        globalThis.WebSocket = class extends counted { constructor(url) { super(url); upgrades++; } };
        const refusals = [];
        for (const repl of [make("python3", wrong), make("cobol")])
          await repl.connect().catch((error) => refusals.push(error.message));
        await new Promise((later) => setTimeout(later, 700));
        return [refusals, upgrades];
    """
    (token, language), upgrades = client(script)
    assert token == "Failed to auth"
    assert language.startswith("“cobol” is no language here. These are: python3,")
    assert upgrades == 2


def test_the_documented_lines(client: Callable[..., Any]) -> None:
    script = """
        const [time_created, msg_mac] = TOKEN.split(":");
        const repl = new ReplitClient(HOST, PORT, "ruby", { time_created, msg_mac });
        return repl.connect()
          .then(() => repl.evaluate("x = 6 * 7", { stdout: console.log })).then((r) => r.error || r.data);
    """
    assert client(script) == "42"


def test_it_comes_back_after_a_drop_with_a_fresh_state(client: Callable[..., Any]) -> None:
    script = """
        const repl = await connected("python3");
        await repl.evaluate("x = 5", say);
        const dropped = new Promise((gone) => repl.once("disconnected", gone));
        repl._ws._socket.destroy();
        await dropped;
        await new Promise((back) => repl.once("connected", back));
        return [(await repl.evaluate("6 * 7", say)).data, (await repl.evaluate("x", say)).error];
    """
    value, error = client(script)
    assert value == "42"
    assert "NameError" in error
