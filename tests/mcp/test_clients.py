"""The official Python client against the running service."""

import asyncio
import subprocess
import sys

import httpx2
import pytest
from jsonschema import Draft202012Validator
from mcp.shared.exceptions import MCPError

from execution.catalogue import COMPILERS
from execution.pages_docs import slugs
from tests.execution.test_service import processes_named
from tests.mcp.clients import DIALECTS, connected, result_of, text_of
from tests.server import Service, wait_until

HELLO = {"compiler": "python-3.14", "code": "print(input()[::-1])", "input": "olleh"}
EIGHT = ["output", "error", "status", "exit_code", "signal", "time", "total", "memory"]


@pytest.fixture(params=DIALECTS)
def client(request, service: Service):
    """Connects as the demo account, in one of the dialects."""
    return lambda: connected(service.url, service.demo["api_key"], mode=request.param)


async def test_it_runs_a_program(client):
    async with client() as session:
        result = result_of(await session.call_tool("run_code", HELLO))
    assert list(result) == EIGHT
    assert (result["output"], result["status"], result["exit_code"], result["signal"]) == (
        "hello\n",
        "success",
        0,
        None,
    )


async def test_a_program_that_fails_is_a_result(client):
    async with client() as session:
        crashed = result_of(await session.call_tool("run_code", {**HELLO, "code": "1 / 0"}))
        broken = result_of(
            await session.call_tool("run_code", {"compiler": "gcc-15", "code": "int main() { return x; }"})
        )
    assert (crashed["status"], crashed["exit_code"]) == ("error", 1)
    assert "ZeroDivisionError" in crashed["error"]
    assert (broken["status"], broken["exit_code"]) == ("error", 1)
    assert "main.c" in broken["error"]


async def test_any_text_comes_back_as_it_is(client):
    code = r"import sys; sys.stdout.buffer.write('é漢🎉\0'.encode() + b'\xff'); print('\x1b[1m</script>')"
    async with client() as session:
        result = result_of(await session.call_tool("run_code", {"compiler": "python-3.14", "code": code}))
    assert sorted(result["output"]) == sorted("é漢🎉\0\ufffd\x1b[1m</script>\n")


async def test_it_lists_the_compilers_of_the_http_api(client, service: Service):
    async with client() as session:
        result = result_of(await session.call_tool("list_compilers", {}))
    assert result["compilers"] == httpx2.get(f"{service.url}/api/compilers/").json()


async def test_the_tools_describe_themselves(client):
    async with client() as session:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        results = {
            "run_code": result_of(await session.call_tool("run_code", HELLO)),
            "list_compilers": result_of(await session.call_tool("list_compilers", {})),
        }
    assert tools.keys() == results.keys()
    for name, tool in tools.items():
        assert tool.title
        assert tool.description
        assert tool.annotations.destructive_hint is not True
        Draft202012Validator.check_schema(tool.input_schema)
        Draft202012Validator(tool.output_schema).validate(results[name])
    properties = tools["run_code"].input_schema["properties"]
    assert list(properties) == ["compiler", "code", "input"]
    assert tools["run_code"].input_schema["required"] == ["compiler", "code"]
    assert properties["compiler"]["enum"] == list(COMPILERS)
    assert all(field["description"] for field in properties.values())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"compiler": "cobol", "code": ""}, "compiler: “cobol” is no compiler; choose one of python-3.14, "),
        ({"compiler": "python-3.14"}, "code: This field is required."),
        ({"compiler": "python-3.14", "code": 5}, "code: Must be a string."),
        ({**HELLO, "stdin": "x"}, "stdin: There is no such argument; run_code takes compiler, code, input."),
        ({**HELLO, "input": "x" * 102_401}, "input: Has 102,401 bytes of UTF-8; at most 102,400 are allowed."),
    ],
)
async def test_wrong_arguments_are_a_tool_error_that_says_what_to_change(client, arguments, words):
    async with client() as session:
        result = await session.call_tool("run_code", arguments)
    assert result.is_error
    assert text_of(result).startswith(words)
    assert result.meta["runcode/error"]["code"] == "invalid"


async def test_an_unknown_tool_is_a_protocol_error(client):
    async with client() as session:
        with pytest.raises(MCPError, match="The tools are list_compilers and run_code"):
            await session.call_tool("delete_everything", {})


async def test_the_documentation_can_be_read(client, service: Service):
    async with client() as session:
        resources = (await session.list_resources()).resources
        contents = (await session.read_resource(resources[0].uri)).contents
        with pytest.raises(MCPError, match="no resource"):
            await session.read_resource(f"{service.url}/docs/nothing.md")
    assert [resource.name for resource in resources] == slugs()
    assert all(resource.title and resource.description for resource in resources)
    assert contents[0].mime_type == "text/markdown"
    assert contents[0].text == httpx2.get(resources[0].uri).text


async def test_a_client_that_asks_is_told_the_stages(client, mark):
    told = []

    async def on_progress(progress, total, message):
        told.append((progress, message))

    # Of its own for each test: what was compiled before is not compiled again.
    code = f'#include <unistd.h>\nint main() {{ usleep(300000); return write(1, "x", 1) - 1; }} // {mark}'
    program = {"compiler": "gcc-15", "code": code}
    async with client() as session:
        result = result_of(await session.call_tool("run_code", program, progress_callback=on_progress))
    assert result["output"] == "x"
    assert told == [(1, "compiling"), (2, "running")]


async def test_calls_at_once_each_get_their_own_answer(client):
    async with client() as session:
        calls = [session.call_tool("run_code", {**HELLO, "input": f"number {n}"}) for n in range(4)]
        results = [result_of(result) for result in await asyncio.gather(*calls)]
    assert [result["output"] for result in results] == [f"number {n}"[::-1] + "\n" for n in range(4)]


async def test_the_fifth_run_at_once_is_refused_in_words(client):
    slow = {"compiler": "python-3.14", "code": "import time; time.sleep(3)"}
    async with client() as session:
        results = await asyncio.gather(*(session.call_tool("run_code", slow) for _ in range(5)))
    (refused,) = [result for result in results if result.is_error]
    assert "Wait for one to end" in text_of(refused)
    assert refused.meta["runcode/error"]["code"] == "concurrency_limit"


def sleeper(mark: str) -> str:
    """A program that puts `mark` where a test sees it from outside, into its process' command line, and sleeps."""
    return f"""
import os, sys, time
if '{mark}' not in sys.argv:
    os.execv(sys.executable, ['python', __file__, '{mark}'])
time.sleep(25)
"""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_client_that_dies_ends_its_program_and_is_not_charged(service: Service, dialect, mark):
    before = service.usage()["runs_used"]
    script = f"""
import asyncio
from tests.mcp.clients import connected
async def main():
    async with connected({service.url!r}, {service.demo["api_key"]!r}, mode={dialect!r}) as client:
        await client.call_tool("run_code", {{"compiler": "python-3.14", "code": {sleeper(mark)!r}}})
asyncio.run(main())
"""
    client = subprocess.Popen([sys.executable, "-c", script])
    try:
        wait_until(lambda: bool(processes_named(mark)), service.log)
    finally:
        client.kill()
        client.wait()
    wait_until(lambda: not processes_named(mark), service.log, 5)
    assert service.usage()["runs_used"] == before


async def test_a_call_that_its_client_gives_up_ends_its_program_and_no_other(client, service: Service, mark):
    def running(name: str) -> bool:
        return bool(processes_named(name))

    async with client() as session, client() as other:
        # Both clients give their first calls the same ids.
        calls = [
            asyncio.create_task(each.call_tool("run_code", {"compiler": "python-3.14", "code": sleeper(name)}))
            for each, name in ((session, f"{mark}-given-up"), (other, f"{mark}-kept"))
        ]
        for name in ("given-up", "kept"):
            await asyncio.to_thread(wait_until, lambda name=name: running(f"{mark}-{name}"), service.log)
        calls[0].cancel()
        await asyncio.gather(calls[0], return_exceptions=True)
        await asyncio.to_thread(wait_until, lambda: not running(f"{mark}-given-up"), service.log, 5)
        assert running(f"{mark}-kept")
        assert result_of(await session.call_tool("run_code", HELLO))["output"] == "hello\n"
        calls[1].cancel()
        await asyncio.gather(calls[1], return_exceptions=True)
    await asyncio.to_thread(wait_until, lambda: not running(mark), service.log, 5)
