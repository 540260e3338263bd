"""Node.js's debugger: a step is the next line of the program's own code."""

from collections.abc import AsyncIterator

import pytest

from execution.sandbox.cells import CellOutcome
from tests.repl.debugging import Debugged, debugger, shown
from tests.sandbox.supervisors import RunningSupervisor


@pytest.fixture
async def debugged(sandbox: RunningSupervisor) -> AsyncIterator[Debugged]:
    async with debugger(sandbox, "nodejs_debugger") as debugged:
        yield debugged


async def test_it_stops_before_each_line_and_tells_what_the_variables_hold(debugged: Debugged) -> None:
    code = "// first\n\nlet x = 1;\nlet y = 'a'.repeat(x);\nconsole.log(y);\n"
    assert shown(await debugged.cell(code)) == {"done": False, "stack": []}
    seen = [await debugged.step() for _ in range(4)]
    assert [told["stack"][0]["line"] for told in seen[:3]] == [3, 4, 5]
    assert seen[2] == {
        "done": False,
        "stack": [{"function": "<main>", "file": "main.js", "line": 5, "locals": {"x": "1", "y": "'a'"}}],
    }
    assert seen[3] == {"done": True, "stack": []}
    assert debugged.output == "a\n"
    assert [await debugged.step() for _ in range(2)] == [{"done": True, "stack": []}] * 2


async def test_output_comes_with_the_step_that_prints_it(debugged: Debugged) -> None:
    await debugged.cell("let x = 1;\nconsole.log('one');\nconsole.error('two');\n")
    results = [await debugged.cell("step") for _ in range(4)]
    assert [result.stdout for result in results] == [b"", b"", b"one\n", b""]
    assert [result.stderr for result in results] == [b"", b"", b"", b"two\n"]


async def test_it_goes_into_functions_of_the_program_the_innermost_frame_first(debugged: Debugged) -> None:
    await debugged.cell("function f(n) {\n  return n === 0 ? n : f(n - 1);\n}\n\nconst g = () => f(1);\ng();\n")
    while (told := await debugged.step())["stack"][0]["locals"].get("n") != "0":
        pass
    assert [(frame["function"], frame["line"]) for frame in told["stack"]] == [
        ("f", 2),
        ("f", 2),
        ("g", 5),
        ("<main>", 6),
    ]
    assert told["stack"][1]["locals"] == {"n": "1"}
    assert await debugged.lines() == []


async def test_it_begins_before_the_first_statement_whatever_stands_above_it(debugged: Debugged) -> None:
    code = "'use strict';\nfunction f(n) {\n  const m = n * 2;\n  return m;\n}\nlet x;\nx = f(4);\nconsole.log(x);\n"
    await debugged.cell(code)
    assert await debugged.lines() == [7, 3, 4, 8]


async def test_files_of_the_program_are_gone_into(debugged: Debugged) -> None:
    code = (
        "const fs = require('fs');\nfs.writeFileSync('a.js', 'let y = 1;\\nexports.f = () => {\\n  return y;\\n};');\n"
    )
    await debugged.cell(f"{code}const {{ f }} = require('./a');\nf();\n")
    seen = []
    while not (told := await debugged.step())["done"]:
        seen.append((told["stack"][0]["file"], told["stack"][0]["line"]))
    assert seen == [
        ("main.js", 1),
        ("main.js", 2),
        ("main.js", 3),
        ("a.js", 1),
        ("a.js", 2),
        ("main.js", 4),
        ("a.js", 3),
    ]


async def test_libraries_are_passed_over_and_what_they_call_of_the_program_is_not(debugged: Debugged) -> None:
    code = "const _ = require('lodash');\nconst y = _.chunk([1, 2, 3], 2);\n"
    await debugged.cell(f"{code}[1, 2].map((x) => {{\n  return x;\n}});\n")
    assert await debugged.lines() == [1, 2, 3, 4, 4]


async def test_a_loop_on_one_line_is_a_step_each_time_round(debugged: Debugged) -> None:
    await debugged.cell("let x = 0; let y = 1;\nwhile (x < 3) x++;\nconsole.log(x);\n")
    lines = await debugged.lines()
    assert (lines[0], lines[-1], set(lines[1:-1])) == (1, 3, {2})
    assert 3 <= lines.count(2) <= 8


async def test_a_variable_has_its_value_before_those_below_it_have_theirs(debugged: Debugged) -> None:
    await debugged.cell("let x = 1;\nlet y = 2;\n")
    assert (await debugged.step())["stack"][0]["line"] == 1
    assert (await debugged.step())["stack"][0]["locals"].get("x") == "1"


async def test_generators_are_gone_into_each_time(debugged: Debugged) -> None:
    await debugged.cell("function* g() {\n  yield 1;\n  yield 2;\n}\nfor (const x of g()) {\n  console.log(x);\n}\n")
    lines = await debugged.lines()
    assert [line for line in lines if line != 5] == [2, 6, 3, 6]
    assert debugged.output == "1\n2\n"


async def test_what_runs_later_is_stepped_through_as_well(debugged: Debugged) -> None:
    code = "setTimeout(() => {\n  console.log('later');\n}, 5);\n"
    code += "Promise.resolve().then(() => {\n  console.log('soon');\n});\n"
    await debugged.cell(code)
    assert await debugged.lines() == [1, 4, 5, 2]
    assert debugged.output == "soon\nlater\n"


async def test_modules_are_debugged_too(debugged: Debugged) -> None:
    await debugged.cell("import { sep } from 'node:path';\nconst x = await Promise.resolve(sep);\nconsole.log(x);\n")
    assert await debugged.lines() == [2, 3]
    assert debugged.output == "/\n"


async def test_an_exception_is_told_at_the_end_with_the_programs_traceback(debugged: Debugged) -> None:
    await debugged.cell("try { null.x } catch {}\nfunction f() {\n  return null.y;\n}\nf();\n")
    while not shown(result := await debugged.cell("step"))["done"]:
        pass
    assert result.error is not None
    assert result.error.name == "TypeError"
    assert "at f (/work/main.js:3" in result.error.traceback
    assert "/build/" not in result.error.traceback
    after = await debugged.cell("step")
    assert (shown(after), after.error) == ({"done": True, "stack": []}, None)


async def test_an_exception_of_later_is_told_too(debugged: Debugged) -> None:
    await debugged.cell("setTimeout(() => { throw new RangeError('late'); }, 1);\n")
    while not shown(result := await debugged.cell("step"))["done"]:
        pass
    assert result.error is not None
    assert (result.error.name, result.error.value) == ("RangeError", "late")


async def test_what_is_no_program_is_told_at_once(debugged: Debugged) -> None:
    result = await debugged.cell("let x = 1;\nlet y = ;\n")
    assert result.error is not None
    assert result.error.name == "SyntaxError"
    assert ":2" in result.error.traceback
    assert shown(result)["done"]
    assert await debugged.lines() == []


async def test_exit_ends_the_program(debugged: Debugged) -> None:
    await debugged.cell("let x = 1;\nprocess.exit(3);\nconsole.log('never');\n")
    assert await debugged.lines() == [1, 2]
    assert debugged.output == ""


@pytest.mark.parametrize(
    "line",
    ["require('lodash').times(1e12, String);", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1e9);"],
)
async def test_an_endless_line_is_interrupted(debugged: Debugged, line: str) -> None:
    await debugged.cell(f"let x = 1;\n{line}\n")
    await debugged.step()
    await debugged.step()
    result = await debugged.interrupted_step()
    assert result.outcome is CellOutcome.INTERRUPTED
    assert result.error is not None
    assert result.error.name == "Interrupted"
    assert await debugged.lines() == []


async def test_variables_are_cut_and_may_refuse_to_be_printed(debugged: Debugged) -> None:
    code = "const odd = { [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('no'); } };\n"
    code += "const text = 'a'.repeat(1e7);\nconst many = Array(1e5).fill(Array(100).fill(1));\n"
    code += "".join(f"const v{i} = {i};\n" for i in range(150)) + "odd;\n"
    await debugged.cell(code)
    while (told := await debugged.step())["stack"][0]["line"] < 154:
        pass
    variables = told["stack"][0]["locals"]
    assert len(variables) == 100
    assert all(len(value) <= 200 for value in variables.values())
    assert variables["odd"] == "<object>"
    assert variables["text"].startswith("'aaa")


async def test_thousands_of_steps_take_no_more_and_more(debugged: Debugged) -> None:
    await debugged.cell("let total = 0;\nfor (let i = 0; i < 500; i++) {\n  total += i;\n}\nconsole.log(total);\n")
    lines = await debugged.lines(2_000)
    assert lines.count(3) == 500
    assert debugged.output == "124750\n"
