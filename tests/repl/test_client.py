"""Our own client, as it stands at /lib/api.js, in Node.js against the running service."""

import json
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.clients import node
from tests.server import Service

CLIENT = Path(settings.BASE_DIR) / "static" / "lib" / "api.js"
PATIENCE = 120

# Node.js has a WebSocket of its own from version 22 on.
PRELUDE = """
require(process.env.CLIENT);
const { HOST, PORT, TOKEN } = process.env;
const sockets = [];
const socket = (url) => {
  sockets.push(new (globalThis.WebSocket ?? require("ws"))(url));
  return sockets.at(-1);
};
const make = (language, token = TOKEN, options) => new ReplitClient(HOST, PORT, language, token, socket, options);
let said = "";
const say = { stdout: (text) => { said += text; } };
const until = async (done) => { while (!done()) await new Promise((more) => setTimeout(more, 20)); };
const reason = (promise) => promise.then(() => "", (error) => error.message);
main().then((verdict) => { console.log(JSON.stringify(verdict)); process.exit(0); });
async function main() {
"""


@pytest.fixture
def run(service: Service, token: Callable[..., str]) -> Callable[..., Any]:
    """What `script`, the body of an async function, returns."""

    def run(script: str, **environment: str) -> Any:
        done = subprocess.run(
            ["node", "--eval", f"{PRELUDE}{script}\n}}"],
            cwd=node.packages(),
            env={
                "PATH": os.environ["PATH"],
                "CLIENT": str(CLIENT),
                "HOST": "127.0.0.1",
                "PORT": str(service.port),
                "TOKEN": token(),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_evaluations_remember_print_and_fail(run: Callable[..., Any]) -> None:
    script = """
        const repl = make("python3");
        await repl.connect();
        const first = await repl.evaluate("x = 6 * 7\\nprint('hi')", say);
        const answers = await Promise.all([repl.evaluate("x"), repl.evaluate("1 / 0"), repl.evaluate("x + 1")]);
        await repl.disconnect();
        const again = await repl.evaluate("'x' in globals()");
        return [said, first, answers.map(({ data }) => data), answers[1].error, again.data];
    """
    said, first, data, error, again = run(script)
    assert (said, first) == ("hi\n", {"command": "result", "data": ""})
    assert data == ["42", "", "43"]
    assert "ZeroDivisionError" in error
    assert again == "False"


def test_input_is_written_while_the_program_runs(run: Callable[..., Any]) -> None:
    script = """
        const repl = make("python3");
        const running = repl.evaluate("print(input('name? ')[::-1])", say);
        await until(() => said.includes("name? "));
        await repl.write("olleh\\n");
        await running;
        return said;
    """
    assert run(script).endswith("hello\n")


@pytest.mark.parametrize("method", ["stop", "reset"])
def test_what_is_stopped_resolves_and_so_does_what_waits(run: Callable[..., Any], method: str) -> None:
    script = """
        const repl = make("python3");
        const running = repl.evaluate("x = 1\\nprint('begun')\\nwhile True: pass", say);
        const waiting = repl.evaluate("print('never')", say);
        await until(() => said.includes("begun"));
        await repl[process.env.METHOD]();
        return [await running, await waiting, said, (await repl.evaluate("6 * 7")).data];
    """
    empty = {"command": "result", "data": ""}
    assert run(script, METHOD=method) == [empty, empty, "begun\n", "42"]


def test_one_evaluation_over_http(run: Callable[..., Any]) -> None:
    script = """
        const result = await make("ruby").evaluateOnce("puts 'hi'; 6 * 7", say);
        const slow = { timeout: { time: 300, callback: () => true } };
        const aborted = await reason(make("ruby").evaluateOnce("sleep 20", slow));
        return [said, result.data, await reason(make("ruby", "1:no").evaluateOnce("1")), aborted];
    """
    said, data, refused, aborted = run(script)
    assert (said, data, aborted) == ("hi\n", "42", "Aborted")
    assert refused


def test_projects_and_unit_tests(run: Callable[..., Any]) -> None:
    script = """
        const repl = make("python3");
        const files = [
          { name: "main.py", content: "from shout import up\\nprint(up('hi'))" },
          { name: "shout.py", content: "def up(s):\\n    return s.upper()" },
        ];
        await repl.runProject(files, say);
        const suite = (expected) => `
import unittest
import main
class UnitTests(unittest.TestCase):
    def test_answer(self):
        self.assertEqual(main.answer(), ${expected})`;
        const code = "def answer():\\n    return 42";
        const good = await repl.runSingleUnitTests({ code, suiteCode: suite(42) });
        const bad = await repl.runUnitTests({ files: [{ name: "main.py", content: code }], suiteCode: suite(43) });
        return [said, good, bad];
    """
    said, good, bad = run(script)
    assert said == "HI\n"
    assert good == {"passed": True, "failures": []}
    assert (bad["passed"], len(bad["failures"])) == (False, 1)
    assert "42 != 43" in bad["failures"][0]["message"] + bad["failures"][0]["stack"]


def test_lint_format_and_files(run: Callable[..., Any]) -> None:
    script = """
        const repl = make("python3");
        const lint = await repl.lint("import os\\n");
        const format = await repl.format("x   =  1\\n");
        await repl.evaluate("open('a.txt', 'w').write('one')");
        let told = null;
        repl.once("files", (message) => { told = JSON.parse(message.data).length; });
        const files = await repl.fileChanges();
        const content = await repl.fileContents("a.txt");
        await repl.removeFile("a.txt");
        const gone = await repl.fileContents("a.txt");
        return [lint.data, format, files, told, content.data, !!gone.error, await repl.fileChanges()];
    """
    lint, formatted, files, told, content, gone, none = run(script)
    assert lint[0]["line"] == 1
    assert formatted == {"code": "x = 1\n"}
    assert [(file["path"], file["size"]) for file in files] == [("a.txt", 3)]
    assert (told, content, gone, none) == (1, "one", True, [])


def test_a_program_is_debugged_step_by_step(run: Callable[..., Any]) -> None:
    script = """
        const repl = make("python3");
        const code = "def double(n):\\n    return n * 2\\nx = double(21)\\nprint(x)\\n";
        const debug = repl.debug(code, say);
        const lines = [];
        for (let at = await debug.step(); !at.done; at = await debug.stepOver()) lines.push(at.stack.at(-1)?.line);
        await debug.result();
        const wrong = repl.debug("def (");
        const never = repl.debug("while True: pass");
        await never.step();
        await repl.stop();
        const left = await reason(never.step());
        return [lines.length, said, await wrong.step(), (await wrong.result()).error ?? "", left,
                (await repl.evaluate("1 + 1")).data];
    """
    steps, said, wrong, error, left, after = run(script)
    assert steps >= 3
    assert said == "42\n"
    assert wrong == {"done": True, "stack": []}
    assert (left, after) == ("", "2")
    assert error == "" or "SyntaxError" in error


def test_a_refusal_rejects_with_its_reason_and_is_not_tried_again(run: Callable[..., Any]) -> None:
    script = """
        const told = [await reason(make("python3", "1:no").connect()), await reason(make("cobol").connect())];
        await new Promise((more) => setTimeout(more, 1500));
        return [told, sockets.length];
    """
    (token, language), sockets = run(script)
    assert token == "Failed to auth"
    assert "cobol" in language
    assert sockets == 2


def test_a_lost_connection_rejects_what_waits_and_is_made_anew(run: Callable[..., Any]) -> None:
    script = """
        const repl = make("python3");
        const events = [];
        for (const name of ["connected", "disconnected"]) repl.on(name, () => events.push(name));
        const running = repl.evaluate("print('begun')\\nwhile True: pass", say);
        await until(() => said.includes("begun"));
        sockets[0].close();
        const lost = await reason(running);
        return [lost, (await repl.evaluate("6 * 7")).data, events, sockets.length];
    """
    lost, data, events, sockets = run(script)
    assert "connection was lost" in lost
    assert (data, events, sockets) == ("42", ["connected", "disconnected", "connected"], 2)


def test_a_service_that_stays_silent_is_given_up(run: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        script = "return reason(make('python3', TOKEN, { timeout: 400 }).connect())"
        told = run(script, PORT=str(silent.getsockname()[1]))
    assert "did not answer in time" in told
