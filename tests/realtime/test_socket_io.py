"""Socket.IO, judged by the stock `socket.io-client` over both of its transports."""

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import websockets

from execution.catalogue import installed
from tests.clients import node
from tests.clients.socket_io import SocketIoClient, socket_io_client
from tests.realtime.clients import no_connections, running_programs
from tests.server import Service
from tests.settings import INSTALLED_TOOLCHAINS

RESULT = ["output", "error", "status", "exit_code", "signal", "time", "total", "memory"]
TRANSPORTS = {"default": {}, "websocket": {"transports": ["websocket"]}, "polling": {"transports": ["polling"]}}

# The lines of the public contract, and around them only what says where and who.
LINES = """
import { io } from "socket.io-client";
const socket = io(BASE, { auth: { token: WS_KEY } });
socket.on("connect", () => socket.emit("runcode", { api_key: WS_KEY, compiler: "go-1.26", code: program, input: "" }));
socket.on("codeoutput", (r) => console.log(r.output, r.error, r.status, r.exit_code, r.signal, r.time, r.total, r.memory));
"""  # noqa: E501
AROUND = """
const { BASE, WS_KEY, PROGRAM: program } = process.env;
%s
socket.on("codeoutput", () => socket.disconnect());
"""
GO = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Print("hi") }\n'


@pytest.fixture
def key(service: Service) -> str:
    return service.demo["websocket_key"]


@pytest.fixture
def client(service: Service, key: str) -> Iterator[SocketIoClient]:
    with socket_io_client(service.url, key=key) as client:
        assert client.next()[0] == "connect"
        yield client


def test_the_lines_of_the_contract_work_as_they_stand(service: Service, key: str):
    printed = node.run(AROUND % LINES, BASE=service.url, WS_KEY=key, PROGRAM=GO)
    if "go-1.26" in installed(INSTALLED_TOOLCHAINS.parent):
        assert printed.startswith("hi  success 0 null 0.")
    else:
        assert printed.startswith(" Go is not installed here.")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_program_runs_over_each_transport(service: Service, key: str, transport: str):
    with socket_io_client(service.url, key=key, **TRANSPORTS[transport]) as client:
        event, used = client.next()
        assert event == "connect"
        assert transport in ("default", used)
        client.run("print(input()[::-1])", input="olleh", api_key=key)
        happened = client.until("codeoutput")
        # Only those who ask see more than the result.
        assert len(happened) == 1
        result = happened[0][1]
        assert list(result) == RESULT
        assert (result["output"], result["status"], result["exit_code"]) == ("hello\n", "success", 0)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_output_is_seen_and_input_is_given_while_the_program_runs(service: Service, key: str, transport: str):
    with socket_io_client(service.url, key=key, **TRANSPORTS[transport]) as client:
        client.wait("connect")
        client.run("print('hello', input('name? '))\nprint('and', input('friend? '))", live=True)
        assert client.next() == ("state", {"state": "running"})
        client.seen("name? ")
        client.emit("input", "Ada\n")
        client.seen("friend? ")
        assert client.ask("input", {"data": "Grace\n"}) is None
        assert client.output()["output"] == "name? hello Ada\nfriend? and Grace\n"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_key_that_is_not_good_is_a_connect_error(service: Service, transport: str):
    with socket_io_client(service.url, key="wk_nobodys", **TRANSPORTS[transport]) as client:
        error = client.wait("connect_error")
    assert error["message"] == error["data"]["message"]
    assert error["data"]["code"] == "key_unknown"


def test_an_api_key_is_refused_as_such(service: Service):
    with socket_io_client(service.url, key=service.demo["api_key"]) as client:
        assert client.wait("connect_error")["data"]["code"] == "wrong_key_kind"


@pytest.mark.parametrize("auth", [None, {}, {"token": 5}, {"token": ""}, "text"])
def test_no_key_is_a_connect_error(service: Service, auth: Any):
    with socket_io_client(service.url, key="", auth=auth) as client:
        assert client.wait("connect_error")["data"]["code"] == "key_missing"


def test_the_key_may_come_in_a_header(service: Service, key: str):
    with socket_io_client(service.url, key="", auth={}, extraHeaders={"Authorization": f"Bearer {key}"}) as client:
        assert client.next()[0] == "connect"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no compiler": ({"compiler": None}, "compiler: "),
    "unknown compiler": ({"compiler": "cobol"}, "compiler: “cobol” is no compiler"),
    "code": ({"code": 5}, "code: Must be a string"),
    "foreign api_key": ({"api_key": "wk_other"}, "api_key: Is not the key"),
    "api_key": ({"api_key": 5}, "api_key: Must be a string"),
    "live": ({"live": "yes"}, "live: Must be true or false"),
    "interactive": ({"interactive": True}, "interactive: Goes only with"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refusal_is_a_codeoutput_too(client: SocketIoClient, what: str):
    fields, message = REFUSED[what]
    client.emit("runcode", {"compiler": "python-3.14", "code": "print(1)", **fields})
    result = client.output()
    assert list(result) == RESULT
    assert result["error"].startswith(message)
    nothing = {"status": "error", "output": "", "exit_code": None, "signal": None, "memory": "0"}
    assert {name: result[name] for name in nothing} == nothing


@pytest.mark.parametrize("arguments", [[], [None], ["text"], [[1]], [5, {"compiler": "python-3.14"}]])
def test_an_event_without_an_object_is_refused(client: SocketIoClient, arguments: list[Any]):
    client.emit("runcode", *arguments)
    assert client.output()["error"] == "The event must carry an object."


def test_more_than_one_program_a_second_is_refused(client: SocketIoClient):
    client.run("print(1)", id="one")
    client.run("print(2)", id="two")
    results = {result["id"]: result for result in (client.output(), client.output())}
    assert results["one"]["output"] == "1\n"
    assert results["two"]["error"].startswith("Too many runs")
    assert results["two"]["exit_code"] is None
    time.sleep(1)
    client.run("print(3)")
    assert client.output()["output"] == "3\n"


def test_a_program_may_be_started_while_a_slow_one_runs(client: SocketIoClient):
    client.run("import time; time.sleep(3)", id="slow")
    time.sleep(1.1)
    client.run("print(1)", id="quick")
    assert client.output()["id"] == "quick"
    assert client.output()["id"] == "slow"


def test_there_is_one_live_program_at_a_time(client: SocketIoClient):
    client.run("print(input('on'))", live=True, id="one")
    client.seen("on")
    time.sleep(1.1)
    client.run("print(1)", live=True, id="two")
    refused = client.output()
    assert (refused["id"], refused["exit_code"]) == ("two", None)
    client.emit("input", "x\n")
    assert client.output()["id"] == "one"


def test_input_ends_when_it_is_said_to(client: SocketIoClient):
    client.run("import sys\nprint(len(sys.stdin.read()))", live=True, input="123")
    client.wait("state")
    client.emit("input", "45")
    client.emit("input_end")
    assert client.output()["output"] == "5\n"


def test_input_may_be_closed_from_the_start(client: SocketIoClient):
    client.run("import sys\nprint(len(sys.stdin.read()))", live=True, interactive=False, input="123")
    assert client.output()["output"] == "3\n"


@pytest.mark.parametrize("event", ["input", "input_end"])
def test_input_for_no_program_is_answered_with_an_error(client: SocketIoClient, event: str):
    assert client.ask(event, "x")["code"] == "not_running"


def test_input_must_be_text(client: SocketIoClient):
    client.run("input('on')", live=True)
    client.seen("on")
    assert client.ask("input", 5)["errors"] == [{"field": "data", "error": "Must be a string."}]
    client.emit("stop")
    assert client.output()["error"] == "Stopped."


async def test_stop_kills_the_program(service: Service, client: SocketIoClient):
    client.run("import time\nprint('on', flush=True, end='')\ntime.sleep(25)", live=True)
    client.seen("on")
    client.emit("stop")
    result = client.output()
    assert (result["error"], result["status"], result["exit_code"]) == ("Stopped.", "error", None)
    await running_programs(service, 0)


@pytest.mark.parametrize("live", [True, False])
async def test_a_client_that_goes_away_takes_its_programs_along(service: Service, key: str, live: bool):
    with socket_io_client(service.url, key=key, transports=["websocket"]) as client:
        client.wait("connect")
        client.run("import time\ntime.sleep(25)", live=live)
        await running_programs(service, 1)
        client.script.kill()
        left = time.monotonic()
        await running_programs(service, 0)
        assert time.monotonic() - left < 1
    await no_connections(service)


def test_who_disconnects_over_polling_is_let_go_at_once(service: Service, key: str):
    with socket_io_client(service.url, key=key, transports=["polling"]) as client:
        client.wait("connect")
        client.emit("disconnect")
        assert client.wait("disconnect") == "io client disconnect"
        # Nothing keeps the client's process alive, such as a poll that nobody answers.
        assert client.script.process.stdin is not None
        client.script.process.stdin.close()
        assert client.script.process.wait(10) == 0


def test_results_go_to_nobody_else(service: Service, client: SocketIoClient, key: str):
    with socket_io_client(service.url, key=key) as other:
        other.wait("connect")
        client.run("print('mine')", live=True)
        client.output()
        # An answer on its own connection: whatever had been sent to it before would have come first.
        other.emit("runcode", None)
        assert [event for event, _ in other.until("codeoutput")] == ["codeoutput"]


GARBAGE = [
    "42[]",
    '42["connect",{}]',
    '42["disconnect"]',
    '42["nothing",1]',
    "42{}",
    "42[5]",
    "42",
    "9",
    "4",
    "4x",
    "",
    '451-["runcode",{"_placeholder":true,"num":0}]',
    '45999999999-["runcode"]',
    "40/admin,",
    "43999[]",
    "44{}",
    "42" + "[" * 100_000,
    '42["runcode",' + "9" * 10_000 + "]",
    "5",
    b"\x00\x01",
]


async def test_no_packet_breaks_the_service(service: Service, key: str):
    address = service.url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    before = service.log()
    for packet in GARBAGE:
        async with websockets.connect(address, proxy=None) as connection:
            assert str(await connection.recv()).startswith("0{")
            await connection.send(f'40{{"token": "{key}"}}')
            assert str(await connection.recv()).startswith("40{")
            await connection.send(packet)
            await connection.send('42["runcode",null]')
            try:
                async with asyncio.timeout(10):
                    while "codeoutput" not in str(await connection.recv()):
                        pass
            except websockets.ConnectionClosed:
                # Some of it is reason enough to hang up.
                pass
    assert "Traceback" not in service.log().removeprefix(before)
    await no_connections(service)


@pytest.mark.parametrize("header", ["Content-Length: 1000000000", "Transfer-Encoding: chunked"])
def test_a_body_that_is_too_large_or_says_no_size_is_refused_unread(service: Service, header: str):
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        target = "/socket.io/?EIO=4&transport=polling&sid=x"
        connection.sendall(f"POST {target} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    assert answer.startswith("HTTP/1.1 413 ")
    assert '"body_too_large"' in answer


@pytest.mark.parametrize(
    "path",
    ["", "?EIO=4&transport=polling&sid=x", "?EIO=3&transport=polling", "?EIO=4&transport=pigeon", "x/y?EIO=4&sid="],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_no_request_breaks_the_service(service: Service, method: str, path: str):
    assert httpx.request(method, f"{service.url}/socket.io/{path}").status_code in (200, 400, 405, 413)


def test_any_page_may_poll(service: Service):
    headers = {"Origin": "https://example.com"}
    answer = httpx.get(f"{service.url}/socket.io/?EIO=4&transport=polling", headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://example.com"
    assert "Access-Control-Allow-Credentials" not in answer.headers
