"""The official TypeScript client, from npm, against the running service."""

import json

import pytest

from tests.clients import node
from tests.execution.test_service import processes_named
from tests.mcp.test_clients import EIGHT, sleeper
from tests.mcp.test_documentation import filled
from tests.pages.test_docs_examples import fences
from tests.server import Service, wait_until

CONNECT = """
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
const { BASE, KEY, CODE } = process.env;
const client = new Client({ name: "tests", version: "1" });
const requestInit = { headers: { Authorization: `Bearer ${KEY}` } };
const connecting = client.connect(new StreamableHTTPClientTransport(new URL(`${BASE}/mcp`), { requestInit }));
const say = (value) => console.log(JSON.stringify(value));
"""


def test_the_example_of_the_documentation_answers(service: Service):
    (code,) = fences("mcp", "ts")
    assert node.run(filled(code, service)) == "5050\n\n"


def test_it_runs_programs_lists_compilers_and_reads_the_documentation(service: Service):
    code = """
await connecting;
// The client checks each structured result against the schema of its tool, once it knows the tools.
const { tools } = await client.listTools();
const run = (args) => client.callTool({ name: "run_code", arguments: { compiler: "python-3.14", ...args } });
const stages = [];
const results = await Promise.all([
  run({ code: "print(input()[::-1])", input: "olleh" }),
  run({ code: "raise SystemExit(3)" }),
  client.callTool({ name: "list_compilers", arguments: {} }),
  client.callTool({ name: "run_code", arguments: { compiler: "python-3.14", code: "1" } }, undefined, {
    onprogress: (progress) => stages.push(progress.message),
  }),
]);
const refused = await run({ code: 7 });
const { resources } = await client.listResources();
const { contents } = await client.readResource({ uri: resources[0].uri });
say({ tools: tools.map((tool) => tool.name), results, refused, stages, text: contents[0].text });
await client.close();
"""
    told = json.loads(node.run(CONNECT + code, BASE=service.url, KEY=service.demo["api_key"]))
    assert told["tools"] == ["list_compilers", "run_code"]
    hello, failed, compilers, _ = told["results"]
    assert list(hello["structuredContent"]) == EIGHT
    assert json.loads(hello["content"][0]["text"]) == hello["structuredContent"]
    assert hello["structuredContent"]["output"] == "hello\n"
    assert (failed["structuredContent"]["exit_code"], failed.get("isError", False)) == (3, False)
    assert compilers["structuredContent"]["compilers"][0]["id"] == "python-3.14"
    assert (told["refused"]["isError"], told["refused"]["content"][0]["text"]) == (True, "code: Must be a string.")
    assert told["stages"] == ["running"]
    assert told["text"].startswith("# Quick start")


@pytest.mark.parametrize(("key", "status"), [("rk_abcdefgh_" + "x" * 40, 401), ("websocket_key", 403)])
def test_a_key_that_is_not_good_is_told(service: Service, key, status):
    code = "await connecting.then(() => say('in'), (error) => say(error.code ?? error.message));"
    told = json.loads(node.run(CONNECT + code, BASE=service.url, KEY=service.demo.get(key, key)))
    assert str(status) in str(told)


@pytest.mark.parametrize("way", ["aborts", "dies"])
def test_a_client_that_gives_up_ends_its_program(service: Service, way, mark):
    code = """
await connecting;
const giving = new AbortController();
process.stdin.once("data", () => giving.abort());
const request = { name: "run_code", arguments: { compiler: "python-3.14", code: CODE } };
await client.callTool(request, undefined, { signal: giving.signal }).catch((error) => say("given up"));
"""
    environment = {"BASE": service.url, "KEY": service.demo["api_key"], "CODE": sleeper(mark)}
    with node.running(CONNECT + code, **environment) as script:
        wait_until(lambda: bool(processes_named(mark)), service.log)
        if way == "aborts":
            script.say("stop")
            assert script.line() == "given up"
        else:
            script.kill()
        wait_until(lambda: not processes_named(mark), service.log, 5)
