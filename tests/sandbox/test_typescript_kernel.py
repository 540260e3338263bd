"""The TypeScript kernel: cells as Node.js's own REPL runs them, with types, imports and rich results."""

import pytest

from execution.sandbox.cells import CellOutcome
from execution.sandbox.context_client import ContextClient
from tests.sandbox.opened import Context, open_context


@pytest.fixture
async def context(contexts: ContextClient) -> Context:
    return await open_context(contexts, kernel="typescript")


async def test_declarations_stay_and_may_be_made_anew(context: Context) -> None:
    await context.run(
        "interface P { a: string }\nlet x: number = 20; const p: P = { a: 'b' }\nfunction f() { return x }"
    )
    assert await context.value("x + 1") == "21"
    await context.run("let x = 'again'; const p = 1")
    assert await context.value("f() + p") == "'again1'"


async def test_types_that_are_more_than_types_work_too(context: Context) -> None:
    await context.run("enum Level { Low, High }\nclass P { constructor(readonly n: number) {} }")
    assert await context.value("[Level[1], new P(3).n]") == "[ 'High', 3 ]"


async def test_await_works_at_the_top(context: Context) -> None:
    assert await context.value("const v = await new Promise(done => setTimeout(done, 10, 'slept')); v") == "'slept'"


async def test_modules_are_imported_both_ways_and_local_files_anew(context: Context) -> None:
    code = "import _ from 'lodash'\nimport * as path from 'node:path'\nimport { sep as s, posix } from 'path'\n"
    code += "[_.chunk([1, 2, 3], 2), path.sep === s, posix === path.posix]"
    assert await context.value(code) == "[ [ [ 1, 2 ], [ 3 ] ], true, true ]"
    assert await context.value("(await import('lodash')).default.add(1, 2)") == "3"
    for number in ("7", "8"):
        await context.run(f"require('fs').writeFileSync('local.ts', 'export const z: number = {number}')")
        assert await context.value("import { z } from './local.ts'; z") == number


async def test_the_word_import_in_a_text_is_left_alone(context: Context) -> None:
    assert await context.value("`\nimport x from 'y'\n`.length") == "19"


async def test_errors_have_name_value_and_traceback(context: Context) -> None:
    result = await context.run("function f() { throw new RangeError('bad') }\nf()")
    assert result.error is not None
    assert (result.error.name, result.error.value) == ("RangeError", "bad")
    assert "cell-1.ts:1" in result.error.traceback
    assert "/build/" not in result.error.traceback
    thrown = await context.run("throw 5")
    assert thrown.error is not None
    assert thrown.error.value == "5"
    syntax = await context.run("const = 4")
    assert syntax.error is not None
    assert syntax.error.name == "SyntaxError"


@pytest.mark.parametrize("code", ["while (true) {}", "await new Promise(() => {})"])
async def test_a_cell_past_its_time_is_interrupted_and_the_state_kept(context: Context, code: str) -> None:
    await context.run("let x = 'kept'")
    assert (await context.run(code, seconds=0.5)).outcome is CellOutcome.TIME_LIMIT
    assert await context.value("x") == "'kept'"


async def test_things_are_shown_by_their_types(context: Context) -> None:
    result = await context.run(
        "display.html('<b>x</b>')\ndisplay(new Map([[1, 2]]))\ndisplay({ 'text/markdown': '# a' }, { raw: true })\n"
        "display.png(new Uint8Array([137, 80]))\n"
        "class T { [Symbol.for('Jupyter.display')]() { return { 'text/html': '<i>t</i>' } } }\nnew T()"
    )
    assert [item.data for item in result.items] == [
        {"text/html": "<b>x</b>"},
        {"text/plain": "Map(1) { 1 => 2 }"},
        {"text/markdown": "# a"},
        {"image/png": "iVA="},
        {"text/plain": "T {}", "text/html": "<i>t</i>"},
    ]
    assert [item.primary for item in result.items] == [False, False, False, False, True]


async def test_the_streams_and_the_environment(context: Context) -> None:
    result = await context.run("console.log(process.env.WHO); console.error('err')", env={"WHO": "x=$y"})
    assert (result.stdout, result.stderr) == (b"x=$y\n", b"err\n")


async def test_exit_ends_the_context(context: Context) -> None:
    assert (await context.run("process.exit(3)")).outcome is CellOutcome.ENDED
