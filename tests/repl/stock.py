"""The unchanged npm package `replit-client` 0.25.0 in Node.js: a script whose verdict is one JSON value."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests import npm
from tests.server import Service

PATIENCE = 120

# What the package's users write in Node.js. `say` is what a client's programs print.
PRELUDE = """
const ReplitClient = require("replit-client");
globalThis.WebSocket = require("ws");
globalThis.XMLHttpRequest = require("xhr2");
const { HOST, PORT, TOKEN } = process.env;
const make = (language, token = TOKEN) => {
  const [time_created, msg_mac] = token.split(":");
  return new ReplitClient(HOST, PORT, language, { time_created, msg_mac });
};
const connected = (language, token) => make(language, token).connect();
let said = "";
const say = { stdout: (text) => { said += text; } };
const until = async (done) => { while (!done()) await new Promise((more) => setTimeout(more, 20)); };
process.on("unhandledRejection", (error) => { console.error(error); process.exit(1); });
main().then((verdict) => { console.log(JSON.stringify(verdict ?? null)); process.exit(0); });
async function main() {
"""


def run(service: Service, token: str, script: str, **environment: str) -> Any:
    """What `script`, the body of an async function, returns."""
    host, _, port = service.url.removeprefix("http://").partition(":")
    done = subprocess.run(
        ["node", "--eval", f"{PRELUDE}{script}\n}}"],
        cwd=packages(),
        env={"PATH": os.environ["PATH"], "HOST": host, "PORT": port, "TOKEN": token, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def packages() -> Path:
    """The folder whose `node_modules` has the package and what it needs in Node.js."""
    return npm.installed(Path(__file__).with_name("client"), "test-clients")
