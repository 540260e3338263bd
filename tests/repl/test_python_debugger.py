"""Python's debugger: a step is the next line of the program's own code."""

from collections.abc import AsyncIterator

import pytest

from execution.sandbox.cells import CellOutcome
from tests.repl.debugging import Debugged, debugger, shown
from tests.sandbox.supervisors import RunningSupervisor


@pytest.fixture
async def debugged(sandbox: RunningSupervisor) -> AsyncIterator[Debugged]:
    async with debugger(sandbox, "python_debugger") as debugged:
        yield debugged


async def test_it_stops_before_each_line_and_tells_what_the_variables_hold(debugged: Debugged) -> None:
    assert shown(await debugged.cell("x = 1\ny = 'a' * x\nprint(y)\n")) == {"done": False, "stack": []}
    seen = [await debugged.step() for _ in range(4)]
    frame = {"function": "<module>", "file": "main.py"}
    assert seen == [
        {"done": False, "stack": [{**frame, "line": 1, "locals": {}}]},
        {"done": False, "stack": [{**frame, "line": 2, "locals": {"x": "1"}}]},
        {"done": False, "stack": [{**frame, "line": 3, "locals": {"x": "1", "y": "'a'"}}]},
        {"done": True, "stack": []},
    ]
    assert debugged.output == "a\n"
    assert [await debugged.step() for _ in range(2)] == [{"done": True, "stack": []}] * 2


async def test_output_comes_with_the_step_that_prints_it(debugged: Debugged) -> None:
    await debugged.cell("import sys\nprint('one')\nprint('two', file=sys.stderr)\n")
    results = [await debugged.cell("step") for _ in range(4)]
    assert [result.stdout for result in results] == [b"", b"", b"one\n", b""]
    assert [result.stderr for result in results] == [b"", b"", b"", b"two\n"]


async def test_it_goes_into_functions_of_the_program_the_innermost_frame_first(debugged: Debugged) -> None:
    code = "def f(n):\n    return n if n == 0 else f(n - 1)\n\n"
    await debugged.cell(f"{code}class A:\n    def g(self):\n        return f(1)\n\nA().g()\n")
    while (told := await debugged.step())["stack"][0]["locals"].get("n") != "0":
        pass
    assert [(frame["function"], frame["line"]) for frame in told["stack"]] == [
        ("f", 2),
        ("f", 2),
        ("A.g", 6),
        ("<module>", 8),
    ]
    assert told["stack"][1]["locals"] == {"n": "1"}
    assert await debugged.lines() == []


async def test_libraries_are_passed_over_and_what_they_call_of_the_program_is_not(debugged: Debugged) -> None:
    code = "import functools, json\njson.dumps({'a': [1]})\ndef add(a, b):\n    return a + b\n"
    await debugged.cell(f"{code}functools.reduce(add, [1, 2, 3])\nsorted([2, 1], key=lambda x: -x)\n")
    assert await debugged.lines() == [1, 2, 3, 5, 4, 4, 6, 6, 6]


async def test_generators_are_gone_into_each_time(debugged: Debugged) -> None:
    await debugged.cell("def g():\n    yield 1\n    yield 2\nfor x in g():\n    print(x)\n")
    assert await debugged.lines() == [1, 4, 2, 5, 4, 3, 5, 4]
    assert debugged.output == "1\n2\n"


async def test_an_exception_is_told_at_the_end_with_the_programs_traceback(debugged: Debugged) -> None:
    await debugged.cell("try:\n    1 / 0\nexcept ZeroDivisionError:\n    pass\n\ndef f():\n    return [][1]\nf()\n")
    while not shown(result := await debugged.cell("step"))["done"]:
        pass
    assert result.error is not None
    assert (result.error.name, result.error.value) == ("IndexError", "list index out of range")
    assert result.error.traceback.startswith('Traceback (most recent call last):\n  File "/work/main.py", line 8, in')
    assert "return [][1]" in result.error.traceback
    assert "/build/" not in result.error.traceback
    after = await debugged.cell("step")
    assert (shown(after), after.error) == ({"done": True, "stack": []}, None)


async def test_what_is_no_program_is_told_at_once(debugged: Debugged) -> None:
    result = await debugged.cell("x = 1\nif x\n    pass\n")
    assert result.error is not None
    assert result.error.name == "SyntaxError"
    assert "line 2" in result.error.traceback
    assert shown(result)["done"]
    assert await debugged.lines() == []


async def test_exit_ends_the_program(debugged: Debugged) -> None:
    await debugged.cell("import sys\nsys.exit(3)\nprint('never')\n")
    assert await debugged.lines() == [1, 2]
    assert debugged.output == ""


async def test_an_endless_line_is_interrupted(debugged: Debugged) -> None:
    await debugged.cell("import time\ntime.sleep(3600)\n")
    await debugged.step()
    await debugged.step()
    result = await debugged.interrupted_step()
    assert result.outcome is CellOutcome.INTERRUPTED
    assert result.error is not None
    assert result.error.name == "KeyboardInterrupt"
    assert await debugged.lines() == []


async def test_variables_are_cut_and_may_refuse_to_be_printed(debugged: Debugged) -> None:
    code = "class Odd:\n    def __repr__(self):\n        raise ValueError('no')\n"
    code += "odd = Odd()\ntext = 'a' * 10**7\nmany = [[1] * 100] * 10**4\nbig = 10**5000\n"
    code += "".join(f"v{i} = {i}\n" for i in range(150)) + "pass\n"
    await debugged.cell(code)
    for _ in range(160):
        told = await debugged.step()
        if told["done"] or "v149" in told["stack"][0]["locals"] or told["stack"][0]["line"] == 158:
            break
    variables = told["stack"][0]["locals"]
    assert len(variables) == 100
    assert all(len(value) <= 200 for value in variables.values())
    assert variables["odd"] == "<Odd instance at 0x" + variables["odd"].partition("0x")[2]
    assert variables["text"].startswith("'aaa")
    assert "v0" in variables


async def test_thousands_of_steps_take_no_more_and_more(debugged: Debugged) -> None:
    await debugged.cell("total = 0\nfor i in range(1000):\n    total += i\nprint(total)\n")
    for number in range(2_002):
        told = await debugged.step()
        if number == 100:
            (before,) = await debugged.client.listed(scope="1")
    assert told["stack"][0]["line"] in (2, 4)
    (after,) = await debugged.client.listed(scope="1")
    assert after.memory_bytes < before.memory_bytes + 8 * 2**20


async def test_deep_recursion_is_told_whole(debugged: Debugged) -> None:
    await debugged.cell("def f(n):\n    if n:\n        f(n - 1)\nf(200)\n")
    deepest = []
    while not (told := await debugged.step())["done"]:
        deepest = max(deepest, told["stack"], key=len)
    assert len(deepest) == 202
    assert deepest[0]["locals"] == {"n": "0"}
    assert deepest[100]["locals"] == {}


async def test_input_is_asked_of_those_who_send_it_alone(debugged: Debugged) -> None:
    await debugged.cell("name = input('name? ')\nprint(name)\n")
    await debugged.step()
    result = await debugged.cell("step", stdin=b"Ada\n")
    assert (result.stdout, shown(result)["stack"][0]["locals"]) == (b"name? ", {"name": "'Ada'"})
