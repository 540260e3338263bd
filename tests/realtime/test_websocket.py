"""/ws/run/ over the wire: programs run, watched and fed while they run."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.realtime.clients import Client, no_connections, over_network, running_programs
from tests.server import Service

RESULT = {"type", "id", "output", "error", "status", "exit_code", "signal", "time", "total", "memory"}


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    async with over_network(service.url, key=service.demo["websocket_key"]) as client:
        yield client


def output_of(frames: list[dict[str, Any]], stream: str = "stdout") -> str:
    return "".join(frame["data"] for frame in frames if frame["type"] == "output" and frame["stream"] == stream)


async def test_a_program_is_queued_runs_is_seen_and_ends(client: Client):
    await client.run("import sys\nprint(input()[::-1])\nsys.stderr.write('oh')", input="olleh", id="one")
    frames = await client.until("result")
    assert [frame["state"] for frame in frames if frame["type"] == "state"] == ["queued", "running"]
    assert (output_of(frames), output_of(frames, "stderr")) == ("hello\n", "oh")
    assert {frame["id"] for frame in frames} == {"one"}
    result = frames[-1]
    assert result.keys() == RESULT
    assert (result["output"], result["error"], result["status"], result["exit_code"]) == ("hello\n", "oh", "success", 0)


async def test_a_compiled_program_says_that_it_compiles(client: Client):
    await client.run('#include <stdio.h>\nint main(void) { puts("hi"); }', compiler="gcc-15")
    frames = await client.until("result")
    assert [frame["state"] for frame in frames if frame["type"] == "state"] == ["queued", "compiling", "running"]
    assert output_of(frames) == "hi\n"


async def test_what_the_compiler_says_is_in_the_result(client: Client):
    await client.run("int main(void) { return x; }", compiler="gcc-15")
    result = await client.end()
    assert result["exit_code"] != 0
    assert "x" in result["error"]


async def test_input_is_asked_for_and_answered_while_the_program_runs(client: Client):
    await client.run("print('hello', input('name? '))\nprint('and', input('friend? '))", interactive=True)
    assert await client.seen("name? ") == "name? "
    await client.send("input", data="Ada\n")
    assert await client.seen("friend? ") == "hello Ada\nfriend? "
    await client.send("input", data="Grace\n")
    assert (await client.end())["output"] == "name? hello Ada\nfriend? and Grace\n"


async def test_what_is_typed_comes_after_the_input_of_the_request(client: Client):
    await client.run("import sys\nprint(sys.stdin.read().upper())", input="first, ", interactive=True)
    await client.send("input", data="then")
    await client.send("input_end")
    assert (await client.end())["output"] == "FIRST, THEN\n"


async def test_without_interactive_the_input_ends_by_itself(client: Client):
    await client.run("import sys\nprint(len(sys.stdin.read()))", input="12345")
    assert (await client.end())["output"] == "5\n"


async def test_each_line_is_seen_when_it_is_printed(client: Client):
    await client.run("import time\nfor i in range(3):\n  print(i, flush=True)\n  time.sleep(1)")
    seen = []
    for number in range(3):
        await client.seen(f"{number}\n")
        seen.append(time.monotonic())
    end = await client.end()
    assert end["output"] == "0\n1\n2\n"
    # Had the lines been kept until the end, they would have come together.
    assert time.monotonic() - seen[0] > 2
    assert seen[1] - seen[0] > 0.3
    assert seen[2] - seen[1] > 0.3


async def test_characters_come_whole_however_they_are_written(client: Client):
    code = """
import sys, time
for byte in "€🎈".encode():
    sys.stdout.buffer.write(bytes([byte])); sys.stdout.buffer.flush(); time.sleep(0.02)
sys.stdout.buffer.write(b"\\xff|\\xe2\\x82"); sys.stdout.buffer.flush()
"""
    await client.run(code)
    frames = await client.until("result")
    assert output_of(frames) == frames[-1]["output"] == "€🎈\ufffd|\ufffd"


async def test_more_is_seen_live_than_stands_in_the_result(client: Client):
    await client.run("print('x' * 100_000)")
    frames = await client.until("result")
    assert output_of(frames) == "x" * 100_000 + "\n"
    assert frames[-1]["output"] == "x" * 999


async def test_output_past_the_plans_cap_ends_the_program(client: Client):
    await client.run("while True: print('0123456789' * 100)", extended=True)
    frames = await client.until("result")
    assert len(output_of(frames)) == 1024 * 1024
    assert frames[-1]["outcome"] == "output_limit"


async def test_stop_kills_the_program_and_the_next_one_runs(service: Service, client: Client):
    before = service.usage()["runs_used"]
    await client.run("import time\nprint('on', flush=True, end='')\ntime.sleep(25)", id="long")
    await client.seen("on")
    await client.send("stop")
    assert await client.end() == {"type": "stopped", "id": "long"}
    await running_programs(service, 0)
    # It was seen, so it counts.
    assert service.usage()["runs_used"] == before + 1
    await asyncio.sleep(1)
    await client.run("print(1)")
    assert (await client.end())["output"] == "1\n"


async def test_a_stop_that_comes_too_late_is_answered(client: Client):
    await client.send("stop")
    assert await client.next() == {"type": "stopped", "id": None}


async def test_a_second_program_is_refused_while_one_runs(client: Client):
    await client.run("input('on')", id="one", interactive=True)
    await client.seen("on")
    await client.run("print(1)", id="two")
    refused = await client.next()
    assert (refused["type"], refused["id"], refused["code"]) == ("error", "two", "concurrency_limit")
    await client.send("input", data="\n")
    assert (await client.end())["type"] == "result"


async def test_more_than_one_program_a_second_is_refused(client: Client):
    await client.run("print(1)")
    await client.end()
    await client.run("print(2)", id="soon")
    refused = await client.end()
    assert (refused["code"], refused["id"], refused["retry_after"]) == ("rate_limit", "soon", 1)
    assert refused["message"]
    await asyncio.sleep(1)
    await client.run("print(3)")
    assert (await client.end())["output"] == "3\n"


async def test_a_client_that_goes_away_takes_its_program_along(service: Service):
    async with over_network(service.url, key=service.demo["websocket_key"]) as client:
        await client.run("import time\nprint('on', flush=True, end='')\ntime.sleep(25)")
        await client.seen("on")
        await running_programs(service, 1)
        # As when a tab is closed: not a word, the connection is just gone.
        client.wire.connection.transport.abort()
        left = time.monotonic()
        await running_programs(service, 0)
        assert time.monotonic() - left < 1
    await no_connections(service)


BAD: dict[str, tuple[str | bytes, str]] = {
    "no JSON": ("{", ""),
    "no object": ("[]", ""),
    "twice the same key": ('{"type": "run", "type": "run"}', ""),
    "binary": (b'{"type": "ping"}', ""),
    "no type": ("{}", "type"),
    "a type that is none": ('{"type": 5}', "type"),
    "an unknown type": ('{"type": "dance"}', "type"),
    "deep": ('{"type":' + "[" * 100_000, ""),
    "a huge number": ('{"type": ' + "9" * 5000 + "}", ""),
    "no compiler": ('{"type": "run", "code": ""}', "compiler"),
    "interactive": ('{"type": "run", "compiler": "gcc-15", "code": "", "interactive": "yes"}', "interactive"),
    "id": ('{"type": "run", "compiler": "gcc-15", "code": "", "id": 5}', "id"),
    "half a pair": ('{"type": "run", "compiler": "gcc-15", "code": "\\ud800"}', "code"),
}


@pytest.mark.parametrize("what", BAD)
async def test_a_bad_frame_is_answered_by_an_error_and_the_connection_stays(client: Client, what: str):
    frame, field = BAD[what]
    await client.wire.send(frame)
    error = await client.next()
    assert (error["type"], error["code"], error["errors"][0]["field"]) == ("error", "invalid", field)
    await client.send("ping")
    assert await client.next() == {"type": "pong"}


@pytest.mark.parametrize("kind", ["input", "input_end"])
async def test_input_for_no_program_is_an_error(client: Client, kind: str):
    await client.send(kind, data="x")
    assert (await client.next())["code"] == "not_running"


async def test_input_for_a_program_that_takes_none_is_an_error(client: Client):
    await client.run("import time\nprint('on', flush=True, end='')\ntime.sleep(1)")
    await client.seen("on")
    await client.send("input", data="x")
    error = (await client.until("error"))[-1]
    assert (error["code"], error["errors"][0]["field"]) == ("invalid", "data")
    assert (await client.end())["status"] == "success"


async def test_a_program_is_not_fed_without_end(client: Client):
    await client.run("import time\nprint('on', flush=True, end='')\ntime.sleep(25)", interactive=True)
    await client.seen("on")
    for _ in range(11):
        await client.send("input", data="x" * 100 * 1024)
    error = (await client.until("error"))[-1]
    assert (error["code"], error["errors"][0]["field"]) == ("invalid", "data")
    await client.send("stop")
    assert (await client.end())["type"] == "stopped"


async def test_a_frame_that_is_too_large_closes_the_connection(client: Client):
    await client.wire.send(json.dumps({"type": "ping", "padding": "x" * 5 * 1024 * 1024}))
    assert await client.closed() == 1009


async def test_a_client_that_reads_late_has_its_program_wait_and_misses_nothing(service: Service):
    code = "import sys\nfor i in range(100_000): print(i)\nsys.stdout.flush()\nprint('done', file=sys.stderr)"
    async with over_network(service.url, key=service.demo["websocket_key"]) as client:
        client.wire.connection.transport.pause_reading()
        await client.run(code)
        await asyncio.sleep(1.5)
        client.wire.connection.transport.resume_reading()
        frames = await client.until("result")
    assert output_of(frames) == "".join(f"{number}\n" for number in range(100_000))
    assert output_of(frames, "stderr") == "done\n"


async def test_what_stands_behind_the_path_is_in_no_log(service: Service):
    address = service.url.replace("http", "ws", 1) + f"/ws/run/?key={service.demo['websocket_key']}"
    async with connect(address, proxy=None) as connection:
        await connection.send("{}")
        assert json.loads(await connection.recv())["code"] == "key_missing"
    assert '\\"WebSocket /ws/run/\\"' in service.log()
    assert "?key=" not in service.log()
