"""The stock `socket.io-client`, driven line by line: what it is told to do goes in, what happens to it comes out."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.clients import node

CODE = """
import { io } from "socket.io-client";
import { createInterface } from "node:readline";
const tell = (event, data) => process.stdout.write(JSON.stringify([event, data ?? null]) + "\\n");
const socket = io(process.env.BASE, JSON.parse(process.env.OPTIONS));
socket.on("connect", () => tell("connect", socket.io.engine.transport.name));
socket.on("connect_error", (error) => tell("connect_error", { message: error.message, data: error.data }));
socket.on("disconnect", (reason) => tell("disconnect", reason));
socket.onAny(tell);
const orders = createInterface({ input: process.stdin });
orders.on("close", () => socket.disconnect());
orders.on("line", (line) => {
  const [event, ...values] = JSON.parse(line);
  if (event === "disconnect") socket.disconnect();
  else if (event === "ask") socket.emit(...values, (answer) => tell("answer", answer));
  else socket.emit(event, ...values);
});
"""


class SocketIoClient:
    def __init__(self, script: node.Script) -> None:
        self.script = script

    def emit(self, event: str, *data: Any) -> None:
        self.script.say(json.dumps([event, *data]))

    def ask(self, event: str, *data: Any) -> Any:
        """What the acknowledgement of an event carries."""
        self.emit("ask", event, *data)
        return self.wait("answer")

    def run(self, code: str = "print(1)", compiler: str = "python-3.14", **fields: Any) -> None:
        self.emit("runcode", {"compiler": compiler, "code": code, **fields})

    def next(self) -> tuple[str, Any]:
        """The next thing that happens, and its data."""
        event, data = self.script.line()
        return event, data

    def until(self, event: str) -> list[tuple[str, Any]]:
        """All that happens, up to the first `event`."""
        happened = [self.next()]
        while happened[-1][0] != event:
            happened.append(self.next())
        return happened

    def wait(self, event: str) -> Any:
        """The data of the next `event`."""
        return self.until(event)[-1][1]

    def output(self) -> dict[str, Any]:
        result: dict[str, Any] = self.wait("codeoutput")
        return result

    def seen(self, text: str) -> None:
        """Returns once `text` was in the live output."""
        output = ""
        while text not in output:
            event, data = self.next()
            assert event in ("state", "output"), (event, data)
            output += data.get("data", "")


@contextmanager
def socket_io_client(url: str, *, key: str, **options: Any) -> Iterator[SocketIoClient]:
    """A client that connects with `key` and socket.io-client's `options`; `next` tells how that went."""
    settings = json.dumps({"auth": {"token": key}, **options})
    with node.running(CODE, BASE=url, OPTIONS=settings) as script:
        yield SocketIoClient(script)
