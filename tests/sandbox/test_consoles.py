"""The kernels of the ReplitClient protocol: plain consoles, which answer as their languages' own do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from execution.sandbox.cells import Cell, CellOutcome, CellResult
from execution.sandbox.client import SandboxClient
from execution.sandbox.context_client import ContextClient
from execution.sandbox.job import Limits
from execution.sandbox.live import Live

SCOPE = "console"

Run = Callable[..., Awaitable[CellResult]]


@pytest.fixture
async def open_console(kernel_client: SandboxClient) -> AsyncIterator[Callable[[str], Awaitable[Run]]]:
    contexts = ContextClient(kernel_client)

    async def opened(kernel: str) -> Run:
        info = await contexts.open(scope=SCOPE, kernel=kernel, limits=Limits(), idle_seconds=600, most=50)

        async def run(code: str, *, interrupt_at: str = "", **cell: object) -> CellResult:
            begun = asyncio.Event()
            seen = b""

            def on_output(_stream: str, data: bytes) -> None:
                nonlocal seen
                seen += data
                if interrupt_at and interrupt_at.encode() in seen:
                    begun.set()

            work = asyncio.create_task(
                contexts.execute(
                    scope=SCOPE,
                    context_id=info.id,
                    cell=Cell(code, **cell),  # type: ignore[arg-type]
                    live=Live(on_output=on_output),
                )
            )
            if interrupt_at:
                await asyncio.wait_for(begun.wait(), 30)
                await contexts.interrupt(scope=SCOPE, context_id=info.id)
            return await work

        return run

    yield opened
    for info in await contexts.listed(scope=SCOPE):
        await contexts.close(scope=SCOPE, context_id=info.id)


def value(result: CellResult) -> str | None:
    assert result.outcome is CellOutcome.SUCCESS, result
    return next((str(item.data["text/plain"]) for item in result.items if item.primary), None)


VALUES: dict[str, list[tuple[str, str | None]]] = {
    "python_repl": [
        ("x = 6 * 7", None),
        ("x", "42"),
        ("_ + 1", "43"),
        ("'é'", "'é'"),
        ("None", None),
        ("def f(): return x", None),
        ("y = 1; f() + y", "43"),
        ("import __main__; __main__.x", "42"),
        ("exit()", None),
        ("x", "42"),
    ],
    "ruby": [
        ("x = 6 * 7", "42"),
        ("_ + 1", "43"),
        ("nil", "nil"),
        ("def f = 5", ":f"),
        ('"é" + f.to_s', '"é5"'),
        ("[1, :a, { b: 2 }]", "[1, :a, {b: 2}]"),
        ("exit", None),
        ("x", "42"),
    ],
    "php": [
        ("$x = 6 * 7;", "42"),
        ("$x", "42"),
        ("echo 1;", None),
        ("function f() { return 5; }", None),
        ("f() + 1", "6"),
        ("$a = 1; if ($a) { $a = 2; }", None),
        ("foreach ([1] as $i) {} $a", "2"),
        ("<?php $a + 1;", "3"),
        ("// what\n5 // five", "5"),
        ("[1, ['k' => null], 1.5, true, \"a\\n\"]", '[1, ["k" => null], 1.5, true, "a\\n"]'),
        ("$f = function() { return 3; }; $f()", "3"),
        ("match(true) { default => 2 } + 3", "5"),
        ("exit;", None),
        ("$x", "42"),
    ],
    "nodejs": [
        ("let x = 6 * 7", "undefined"),
        ("x", "42"),
        ("let x = 5", "undefined"),
        ("await Promise.resolve(x + 1)", "6"),
        ("import { sep } from 'node:path'; sep", "'/'"),
        ("_", "'/'"),
        ("[1, { a: { b: { c: 1 } } }]", "[ 1, { a: { b: [Object] } } ]"),
    ],
}


@pytest.mark.parametrize("kernel", VALUES)
async def test_values_are_as_the_console_prints_them(
    open_console: Callable[[str], Awaitable[Run]], kernel: str
) -> None:
    run = await open_console(kernel)
    assert [(code, value(await run(code))) for code, _ in VALUES[kernel]] == VALUES[kernel]


ERRORS = {
    "python_repl": (
        "def f():\n    return 1 / 0\nf()",
        "Traceback (most recent call last):\n"
        '  File "<python-input-0>", line 3, in <module>\n    f()\n    ~^^\n'
        '  File "<python-input-0>", line 2, in f\n    return 1 / 0\n           ~~^~~\n'
        "ZeroDivisionError: division by zero",
    ),
    "ruby": (
        "def f = raise('no')\nf",
        "(irb):1:in 'Object#f': no (RuntimeError)\n\tfrom (irb):2:in '<main>'",
    ),
    "php": (
        "function f() { throw new Exception('no'); }\nf();",
        "PHP Fatal error:  Uncaught Exception: no in php shell code:1\nStack trace:\n"
        "#0 php shell code(2): f()\n#1 {main}",
    ),
    "nodejs": ("function f() { throw new Error('no') }\nf()", "Error: no\n    at f (REPL1:1:22)\n    at REPL1:2:1"),
}


@pytest.mark.parametrize("kernel", ERRORS)
async def test_an_error_has_the_user_s_frames_alone(open_console: Callable[[str], Awaitable[Run]], kernel: str) -> None:
    code, traceback = ERRORS[kernel]
    result = await (await open_console(kernel))(code)
    assert result.outcome is CellOutcome.ERROR
    assert result.error is not None
    assert result.error.traceback == traceback


@pytest.mark.parametrize("kernel", ["python_repl", "ruby", "php", "nodejs"])
async def test_what_does_not_parse_is_told(open_console: Callable[[str], Awaitable[Run]], kernel: str) -> None:
    result = await (await open_console(kernel))("x ===")
    assert result.error is not None
    assert result.error.name in ("SyntaxError", "ParseError")


INTERRUPTED = {
    "python_repl": ("x = 5", ["print('go', flush=True)\nwhile True: pass", "print('go'); input()"], "x", "5"),
    "ruby": ("x = 5", ["puts 'go'; loop {}", "puts 'go'; gets", "puts 'go'; sleep"], "x", "5"),
    "php": ("$x = 5;", ["echo 'go'; while (true);", "echo 'go'; fgets(STDIN);", "echo 'go'; sleep(60);"], "$x", "5"),
    "nodejs": (
        "let x = 5",
        ["console.log('go'); while (true);", "console.log('go'); await new Promise(() => 1)"],
        "x",
        "5",
    ),
}


@pytest.mark.parametrize("kernel", INTERRUPTED)
async def test_an_interrupt_keeps_the_state(open_console: Callable[[str], Awaitable[Run]], kernel: str) -> None:
    first, endless, last, expected = INTERRUPTED[kernel]
    run = await open_console(kernel)
    await run(first)
    for code in endless:
        assert (await run(code, interrupt_at="go", streamed=True)).outcome is CellOutcome.INTERRUPTED
        assert value(await run(last)) == expected


async def test_a_fatal_error_of_php_leaves_the_state_from_before_it(
    open_console: Callable[[str], Awaitable[Run]],
) -> None:
    run = await open_console("php")
    await run("$x = 1; function f() {}")
    for code, words in (
        ("$x = 2; function f() {}", "Cannot redeclare function f()"),
        ("$x = 2; posix_kill(posix_getpid(), SIGKILL);", "killed by signal 9"),
        ("$x = 2; abstract class A { abstract function g(); } class B extends A {}", "abstract method"),
    ):
        result = await run(code)
        assert result.error is not None
        assert words in result.error.traceback
        assert "/build/" not in result.error.traceback
        assert value(await run("$x")) == "1"


async def test_a_hundred_cells_of_php_leave_no_processes(open_console: Callable[[str], Awaitable[Run]]) -> None:
    run = await open_console("php")
    await run("$x = 0;")
    for _ in range(100):
        await run("$x++;")
    assert value(await run("$x")) == "100"
    living = value(await run("count(glob('/proc/[0-9]*/exe')) . ''"))
    assert living is not None
    assert int(living.strip('"')) < 10


@pytest.mark.parametrize(
    ("kernel", "code"),
    [
        ("python_repl", "import os\n3 if os.fork() else 4"),
        ("ruby", "if fork then 3 else 4 end"),
    ],
)
async def test_a_child_that_a_cell_forks_does_not_answer_for_it(
    open_console: Callable[[str], Awaitable[Run]], kernel: str, code: str
) -> None:
    run = await open_console(kernel)
    assert value(await run(code)) == "3"
    assert value(await run("6 * 7")) == "42"
