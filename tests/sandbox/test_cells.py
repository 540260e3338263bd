"""Cells in a context, against a real supervisor: what they show, what they are given, and where they are stopped."""

import asyncio
import contextlib
import os
import signal

import pytest

from execution.sandbox.cells import Cell, CellOutcome, Item
from execution.sandbox.context_client import ContextClient
from execution.sandbox.errors import ContextEnded
from execution.sandbox.job import MIB, Limits
from execution.sandbox.live import Live
from tests.sandbox.opened import (
    ALICE,
    Context,
    leave_child,
    open_context,
    processes,
    sharing_pids_with,
    until_gone,
)


async def test_what_a_cell_made_is_there_in_the_next(context: Context) -> None:
    await context.run("x = 20\nimport math\ndef double(n): return 2 * n\nopen('note', 'w').write('kept')")
    assert await context.value("double(x) + math.floor(1.5), open('note').read()") == "(41, 'kept')"
    assert (await context.run("x")).count == 3


async def test_the_streams_are_the_cells_own_and_of_its_child_processes_too(context: Context) -> None:
    result = await context.run("import sys\nprint('out')\nprint('err', file=sys.stderr)\n!echo child")
    assert (result.stdout, result.stderr) == (b"out\nchild\n", b"err\n")
    assert (await context.run("pass")).stdout == b""


async def test_an_exception_is_told_without_colours_and_leaves_the_state(context: Context) -> None:
    await context.run("x = 1")
    result = await context.run("x = 2\n1 / 0")
    assert result.outcome is CellOutcome.ERROR
    assert result.error is not None
    assert (result.error.name, result.error.value) == ("ZeroDivisionError", "division by zero")
    assert "1 / 0" in result.error.traceback
    assert "\x1b" not in result.error.traceback
    assert "kernel.py" not in result.error.traceback
    assert await context.value("x") == "2"


async def test_an_error_of_syntax_runs_nothing(context: Context) -> None:
    result = await context.run("x = 3\nif")
    assert result.error is not None
    assert result.error.name == "SyntaxError"
    assert (await context.run("x")).error is not None


async def test_await_works_at_the_top(context: Context) -> None:
    assert await context.value("import asyncio\nawait asyncio.sleep(0.01, 'slept')") == "'slept'"


async def test_input_without_any_is_refused_in_words(context: Context) -> None:
    result = await context.run("input()")
    assert result.error is not None
    assert "no standard input" in result.error.value
    assert await context.value("1") == "1"


async def test_input_comes_from_the_request_or_live(context: Context) -> None:
    assert (await context.run("print(input() + input())", stdin=b"a\nb\n")).stdout == b"ab\n"
    seen: list[bytes] = []
    live = Live(on_output=lambda _stream, data: seen.append(data))
    cell = Cell("print('name?', flush=True)\nname = input()", streamed=True)
    run = asyncio.create_task(
        context.client.execute(scope=ALICE, context_id=context.id, cell=cell, live=live, on_item=None)
    )
    while b"name?\n" not in b"".join(seen):
        await asyncio.sleep(0.01)
    live.write(b"Ada\n")
    assert (await run).outcome is CellOutcome.SUCCESS
    assert await context.value("name") == "'Ada'"


async def test_the_input_of_a_cell_ends_and_the_next_has_its_own(context: Context) -> None:
    result = await context.run("print(input())\ninput()", stdin=b"a\n")
    assert (result.stdout, result.error and result.error.name) == (b"a\n", "EOFError")
    large = b"x" * 200_000 + b"\n"
    assert (await context.run("import sys\nprint(len(sys.stdin.read()))", stdin=large)).stdout == b"200001\n"
    assert (await context.run("print(repr(sys.stdin.read()))")).stdout == b"''\n"
    live = Live(on_output=lambda _stream, _data: None)
    live.write(b"one\ntwo\n")
    live.end_input()
    cell = Cell("print(sys.stdin.read().split(), sys.stdin.read())", streamed=True)
    result = await context.client.execute(scope=ALICE, context_id=context.id, cell=cell, live=live, on_item=None)
    assert result.stdout == b"['one', 'two'] \n"
    assert (await context.run("print(input())", stdin=b"again\n")).stdout == b"again\n"


async def test_what_a_cell_did_not_read_is_not_the_next_ones(context: Context) -> None:
    left = b"first\n" + b"left\n" * 40_000
    assert (await context.run("print(input())", stdin=left)).stdout == b"first\n"
    assert (await context.run("print(input())", stdin=b"own\n")).stdout == b"own\n"
    await context.run("pass", stdin=left)
    assert (await context.run("import sys\nprint(repr(sys.stdin.read()))")).stdout == b"''\n"
    assert (await context.run("print(sys.stdin.read())", stdin=b"mine")).stdout == b"mine\n"
    assert (await context.run("sys.stdin.close()")).error is None
    assert (await context.run("print(1)", stdin=b"x")).stdout == b"1\n"


async def test_what_a_child_process_read_does_not_keep_the_end_away(context: Context) -> None:
    code = "import subprocess, sys\nprint(subprocess.check_output(['head', '-c', '2']), repr(sys.stdin.read()))"
    assert (await context.run(code, stdin=b"ab")).stdout == b"b'ab' ''\n"
    assert (await context.run("print(input())", stdin=b"again\n")).stdout == b"again\n"


async def test_what_is_displayed_comes_by_its_types_and_as_it_comes(context: Context) -> None:
    shown: list[Item] = []
    live = Live(on_output=lambda _stream, _data: None)
    cell = Cell("from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'), display_id='a')\n5")
    result = await context.client.execute(
        scope=ALICE, context_id=context.id, cell=cell, live=live, on_item=shown.append
    )
    assert [(item.data.get("text/html"), item.primary, item.display_id) for item in result.items] == [
        ("<b>x</b>", False, "a"),
        (None, True, ""),
    ]
    assert tuple(shown) == result.items


async def test_a_figure_is_shown_without_being_asked_for(context: Context) -> None:
    result = await context.run("import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])", seconds=25)
    assert any("image/png" in item.data for item in result.items), result


async def test_variables_of_the_environment_are_set_and_stay(context: Context) -> None:
    await context.run("pass", env={"GREETING": "x=y $HOME"})
    assert await context.value("import os; os.environ['GREETING']") == "'x=y $HOME'"


# --- limits ---


@pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(20)"])
async def test_a_cell_past_its_time_is_interrupted_and_the_state_kept(context: Context, code: str) -> None:
    await context.run("x = 'kept'")
    result = await context.run(f"print('begun')\n{code}", seconds=0.5)
    assert (result.outcome, result.stdout) == (CellOutcome.TIME_LIMIT, b"begun\n")
    assert await context.value("x") == "'kept'"


async def test_a_cell_that_does_not_obey_ends_its_context(context: Context) -> None:
    await context.run("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert (await context.run("while True: pass", seconds=0.3)).outcome is CellOutcome.ENDED
    with pytest.raises(ContextEnded, match="Restart it"):
        await context.run("1")
    info = await context.client.restart(scope=ALICE, context_id=context.id)
    assert (info.state, info.count) == ("idle", 0)
    assert await context.value("1") == "1"


async def test_endless_output_is_cut_and_the_state_kept(context: Context) -> None:
    await context.run("x = 'kept'")
    result = await context.run("while True: print('y' * 1000)", output_bytes=10_000)
    assert (result.outcome, len(result.stdout), result.stdout_truncated) == (CellOutcome.OUTPUT_LIMIT, 10_000, True)
    assert await context.value("x") == "'kept'"


async def test_what_is_large_comes_whole_both_ways(context: Context) -> None:
    text = "é" * 3_000_000
    await context.run(f"text = {text!r}")
    assert await context.value("len(text), hash(text) == hash('é' * 3_000_000)") == "(3000000, True)"
    code = "from IPython.display import HTML, display\n"
    result = await context.run(code + "for n in range(4): print('x' * 100_000); display(HTML(text[:1_000_000]))")
    assert result.outcome is CellOutcome.SUCCESS
    assert result.stdout == (b"x" * 100_000 + b"\n") * 4
    assert [item.data["text/html"] for item in result.items] == ["é" * 1_000_000] * 4


async def test_a_watcher_who_is_slow_holds_the_cell_back(context: Context) -> None:
    seen: list[bytes] = []
    live = Live(on_output=lambda _stream, data: seen.append(data))
    live.pause()
    code = "import time\nbegan = time.monotonic()\nprint('x' * 900_000)\ntook = time.monotonic() - began"
    run = asyncio.create_task(
        context.client.execute(scope=ALICE, context_id=context.id, cell=Cell(code), live=live, on_item=None)
    )
    await asyncio.sleep(1)
    live.resume()
    assert (await run).stdout == b"x" * 900_000 + b"\n" == b"".join(seen)
    assert float(await context.value("took")) > 0.5
    assert (await context.run("print('y' * 900_000)")).stdout == b"y" * 900_000 + b"\n"


async def test_more_than_may_be_shown_is_interrupted(context: Context) -> None:
    code = "from IPython.display import HTML, display\nwhile True: display(HTML('x' * 100_000))"
    result = await context.run(code, seconds=90)
    assert result.outcome is CellOutcome.OUTPUT_LIMIT
    assert len(result.items) < 200
    assert await context.value("1") == "1"


async def test_too_much_memory_ends_the_context_alone(contexts: ContextClient, context: Context) -> None:
    other = await open_context(contexts)
    await other.run("x = 5")
    assert (await context.run("hog = bytearray(10**9)")).outcome is CellOutcome.MEMORY_LIMIT
    assert await other.value("x") == "5"


async def test_a_context_has_the_limits_that_it_was_opened_with(contexts: ContextClient) -> None:
    limits = Limits(memory_bytes=200 * MIB, processes=20)
    info = await contexts.open(scope=ALICE, kernel="python", limits=limits, idle_seconds=600, most=50)
    context = Context(contexts, info.id)
    forks = """import os
made = []
try:
    while pid := os.fork(): made.append(pid)
    os._exit(0)
except BlockingIOError: print(len(made) < 20)
for pid in made: os.waitpid(pid, 0)"""
    assert (await context.run(forks)).stdout == b"True\n"
    assert (await context.run("hog = bytearray(250 * 2**20)")).outcome is CellOutcome.MEMORY_LIMIT


async def test_nothing_goes_on_in_a_context_that_did_not_obey(context: Context) -> None:
    child = await leave_child(context)
    await context.run("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert (await context.run("while True: pass", seconds=0.3)).outcome is CellOutcome.ENDED
    await until_gone(child)
    assert (await context.client.info(scope=ALICE, context_id=context.id)).state == "ended"


async def test_one_that_is_killed_from_outside_has_ended(context: Context) -> None:
    child = await leave_child(context)
    run = asyncio.create_task(context.run("while True: pass", seconds=25))
    await asyncio.sleep(0.2)
    (pid,) = processes(child)
    for other in sharing_pids_with(pid):
        with contextlib.suppress(ProcessLookupError):  # the first of them takes the others along
            os.kill(other, signal.SIGKILL)
    assert (await run).outcome is CellOutcome.ENDED
    await context.client.restart(scope=ALICE, context_id=context.id)
    assert await context.value("1") == "1"


async def test_nonsense_on_the_channel_ends_its_context_at_most(context: Context) -> None:
    await context.run("import os; os.write(3, b'\\xff' * 100)", seconds=3)
    await context.client.restart(scope=ALICE, context_id=context.id)
    assert await context.value("1") == "1"


async def test_threads_of_a_cell_get_next_to_nothing_once_it_has_ended(context: Context) -> None:
    code = """import threading, time
n = 0
def burn():
    global n
    while True: n += 1
threading.Thread(target=burn, daemon=True).start()
time.sleep(0.5)
n"""
    while_running = int(await context.value(code))
    await asyncio.sleep(2)
    since = int(await context.value("n")) - while_running
    assert since < while_running * 2  # four times as long at full speed would be more
