"""The stock client in Node.js against the running service, method by method."""

from collections.abc import Callable
from typing import Any

import pytest

from execution.repl.languages import LANGUAGES

Token = Callable[..., str]

INTERPRETED = ("python3", "ruby", "php", "nodejs")
COMPILED = [name for name, language in LANGUAGES.items() if language.kernel is None]


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
    stock_client: Callable[..., Any], language: str, first: str, more: str, last: str, value: str
) -> None:
    script = """
        const repl = await connected(process.env.LANGUAGE);
        await repl.evaluate(process.env.FIRST, say);
        for (let i = 0; i < 50; i++) await repl.evaluate(process.env.MORE, say);
        return repl.evaluate(process.env.LAST, say);
    """
    verdict = stock_client(script, LANGUAGE=language, FIRST=first, MORE=more, LAST=last)
    assert verdict == {"command": "result", "data": value}


@pytest.mark.parametrize("language", COMPILED)
def test_each_evaluation_of_a_compiled_language_is_a_program(stock_client: Callable[..., Any], language: str) -> None:
    script = """
        const repl = await connected(process.env.LANGUAGE);
        const results = [await repl.evaluate(process.env.CODE, say), await repl.evaluate(process.env.CODE, say)];
        return [said, results];
    """
    sample = LANGUAGES[language].compiler.sample
    result = {"command": "result", "data": ""}
    assert stock_client(script, LANGUAGE=language, CODE=sample) == ["Hello, World!\n" * 2, [result, result]]


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
def test_an_error_is_the_traceback(
    stock_client: Callable[..., Any], language: str, code: str, parts: list[str]
) -> None:
    script = "return (await connected(process.env.LANGUAGE)).evaluate(process.env.CODE, say)"
    result = stock_client(script, LANGUAGE=language, CODE=code)
    assert result["data"] == ""
    for part in parts:
        assert part in result["error"]
    assert "kernel" not in result["error"]


def test_a_value_s_error_leaves_the_state(stock_client: Callable[..., Any]) -> None:
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
    assert stock_client(script) == {language: [True, "42"] for language in INTERPRETED}


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
    stock_client: Callable[..., Any], language: str, endless: str, value: str, method: str
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
    verdict = stock_client(script, LANGUAGE=language, ENDLESS=endless, VALUE=value, METHOD=method)
    assert verdict == [{"command": "ready", "data": ""}, {"command": "result", "data": ""}, "42", True]


def test_stopping_a_compiled_program_and_what_is_idle(stock_client: Callable[..., Any]) -> None:
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
    assert stock_client(script) == [result, result]


def test_input_reaches_the_program_also_right_after_the_evaluation(stock_client: Callable[..., Any]) -> None:
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
    assert stock_client(script) == {
        "python3": ["? ", "'5'"],
        "ruby": ["", '"5"'],
        "php": ["", '"5"'],
        "nodejs": ["", "'5'"],
        "go": ["<5>", ""],
    }


def test_numbers_may_be_written(stock_client: Callable[..., Any]) -> None:
    script = """
        const repl = await connected("python3");
        const answer = repl.evaluate("input()", say);
        await repl.write(5);
        await repl.write("\\n");
        return (await answer).data;
    """
    assert stock_client(script) == "'5'"


def test_output_comes_while_the_program_runs(stock_client: Callable[..., Any]) -> None:
    script = """
        const repl = await connected("python3");
        const running = repl.evaluate("print('before')\\ninput()\\nprint('after')", say);
        await until(() => said === "before\\n");
        await repl.write("\\n");
        return [await running, said];
    """
    assert stock_client(script) == [{"command": "result", "data": ""}, "before\nafter\n"]


def test_evaluate_once(stock_client: Callable[..., Any]) -> None:
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
    results, said, refused = stock_client(script)
    assert results == ["42"] * 4
    assert said == "hi\n" * 4
    assert refused.startswith("“cobol” is no language here.")


def test_a_bad_token_and_an_unknown_language_end_in_words(stock_client: Callable[..., Any]) -> None:
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
    (token, language), upgrades = stock_client(script)
    assert token == "Failed to auth"
    assert language.startswith("“cobol” is no language here. These are: python3,")
    assert upgrades == 2


def test_the_documented_lines(stock_client: Callable[..., Any]) -> None:
    script = """
        const [time_created, msg_mac] = TOKEN.split(":");
        const repl = new ReplitClient(HOST, PORT, "ruby", { time_created, msg_mac });
        return repl.connect()
          .then(() => repl.evaluate("x = 6 * 7", { stdout: console.log })).then((r) => r.error || r.data);
    """
    assert stock_client(script) == "42"


def test_it_comes_back_after_a_drop_with_a_fresh_state(stock_client: Callable[..., Any]) -> None:
    script = """
        const repl = await connected("python3");
        await repl.evaluate("x = 5", say);
        const dropped = new Promise((gone) => repl.once("disconnected", gone));
        repl._ws._socket.destroy();
        await dropped;
        await new Promise((back) => repl.once("connected", back));
        return [(await repl.evaluate("6 * 7", say)).data, (await repl.evaluate("x", say)).error];
    """
    value, error = stock_client(script)
    assert value == "42"
    assert "NameError" in error
