"""The whole service, as its users and its operator meet it: real sockets, real processes, and some of them killed."""

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

import httpx

from tests.sandbox.supervisors import cgroup_directories, descendants, living
from tests.server import Service, wait_until

GOOD = {"compiler": "python-3.14", "code": "print(input()[::-1])", "input": "olleh"}
RUN = "/api/run-code-sync/"


def processes_named(name: str) -> list[int]:
    """Every process of the host whose command line holds `name`, those inside sandboxes included."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if name.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def test_the_printed_curl_line_answers(service: Service):
    with service.client() as client:
        assert client.post(RUN, json=GOOD).json()["output"] == "hello\n"


def test_it_is_alive_and_ready(service: Service):
    assert httpx.get(f"{service.url}/healthz").json() == {"status": "ok"}
    ready = httpx.get(f"{service.url}/readyz/").json()
    assert ready == {"status": "ready", "checks": {"database": "ok", "sandbox": "ok"}}


def test_usage_goes_up_with_each_run(service: Service):
    before = service.usage()["runs_used"]
    with service.client() as client:
        for _ in range(3):
            client.post(RUN, json=GOOD)
    assert service.usage()["runs_used"] == before + 3


def test_an_unknown_secret_is_404_in_the_error_shape(service: Service):
    response = httpx.get(f"{service.url}/cus/rs_{'x' * 40}/")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_no_secret_reaches_the_log(service: Service):
    with service.client() as client:
        client.post(RUN, json={**GOOD, "code": "print('mysterious program')", "input": "mysterious input"})
    httpx.get(f"{service.url}/api/compilers/?key={service.demo['api_key']}")
    service.usage()
    log = service.log()
    # What `serve --demo` prints for the person in front of it, once, is not a log line.
    lines = "\n".join(line for line in log.splitlines() if line.startswith("{"))
    assert '"path": "/cus/…/"' in lines
    for secret in (*(service.demo[name] for name in ("api_key", "secret", "password")), "mysterious"):
        assert secret not in lines


def test_a_large_body_is_refused_before_it_is_sent(service: Service):
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        head = f"POST {RUN} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_connection_serves_many_requests_also_after_a_refusal(service: Service):
    with service.client() as client:
        for body in (GOOD, [], {**GOOD, "input": "x" * 5_000_000}, GOOD):
            last = client.post(RUN, json=body)
        assert last.json()["output"] == "hello\n"


def test_a_websocket_path_that_leads_nowhere_is_refused_with_404(service: Service):
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(
            b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 404 ")


async def test_a_client_that_goes_away_ends_its_run_and_is_not_charged(service: Service):
    before = service.usage()["runs_used"]
    mark = f"gone-{time.monotonic_ns()}"
    async with service.async_client() as client:
        body = {**GOOD, "code": "import time\ntime.sleep(25)", "args": [mark]}
        call = asyncio.create_task(client.post(RUN, json=body))
        await asyncio.to_thread(wait_until, lambda: bool(processes_named(mark)), service.log)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    await asyncio.to_thread(wait_until, lambda: not processes_named(mark), service.log, 5)
    assert service.usage()["runs_used"] == before
    assert '"status": 499' in service.log()


async def burst(service: Service, killed: asyncio.Event, seconds: float) -> list[httpx.Response | Exception]:
    """Four clients of the demo key that call without a pause until `seconds` after the kill."""

    async def calls() -> list[httpx.Response | Exception]:
        answers: list[httpx.Response | Exception] = []
        async with service.async_client() as client:
            while not (killed.is_set() and time.monotonic() > until[0]):
                try:
                    answers.append(await client.post(RUN, json=GOOD))
                except httpx.HTTPError as error:
                    answers.append(error)
                    await asyncio.sleep(0.02)
        return answers

    until = [float("inf")]

    async def note_the_kill() -> None:
        await killed.wait()
        until[0] = time.monotonic() + seconds

    noting = asyncio.create_task(note_the_kill())
    gathered = await asyncio.gather(*(calls() for _ in range(4)))
    await noting
    return [answer for answers in gathered for answer in answers]


def results(answers: list[httpx.Response | Exception]) -> list[httpx.Response]:
    good = [answer for answer in answers if isinstance(answer, httpx.Response) and answer.status_code == 200]
    assert all(answer.json()["output"] == "hello\n" for answer in good)
    return good


def settled_usage(service: Service) -> int:
    """Runs used, once it has stopped moving."""
    seen = [-1]

    def steady() -> bool:
        seen.append(service.usage()["runs_used"])
        return seen[-1] == seen[-2]

    wait_until(steady, service.log)
    return seen[-1]


async def kill_under_load(service: Service, pid: int, seconds: float = 3.0) -> list[httpx.Response | Exception]:
    killed = asyncio.Event()
    load = asyncio.create_task(burst(service, killed, seconds))
    await asyncio.sleep(1)
    os.kill(pid, signal.SIGKILL)
    killed.set()
    return await load


async def test_it_comes_back_when_its_web_process_is_killed_under_load(service: Service):
    before = settled_usage(service)
    web = service.web
    answers = await kill_under_load(service, web)
    service.wait_until_ready()
    assert service.web != web
    broken = [answer for answer in answers if not isinstance(answer, httpx.Response)]
    assert isinstance(answers[-1], httpx.Response)
    assert answers[-1].status_code == 200
    used = settled_usage(service) - before
    # Each answer is billed once; of the calls that the kill cut off, some had been billed and some not.
    answered = len(results(answers))
    assert answered <= used <= answered + len(broken)
    assert len(broken) <= 4 + 4 * 2
    # No place and no run stays reserved: all four places can be had, and the counts agree.
    async with service.async_client() as client:
        four = await asyncio.gather(*(client.post(RUN, json=GOOD) for _ in range(4)))
    assert {answer.status_code for answer in four} == {200}
    assert settled_usage(service) == before + used + 4


async def test_it_comes_back_when_its_supervisor_is_killed_under_load(service: Service):
    before = settled_usage(service)
    supervisor = service.supervisor
    sandboxes = descendants(supervisor)
    groups = cgroup_directories(service.home)
    assert sandboxes
    assert groups
    answers = await kill_under_load(service, supervisor)
    service.wait_until_ready()
    assert service.supervisor != supervisor
    # Nobody sees a broken connection: the calls wait for the new supervisor, or are told to come again.
    assert all(isinstance(answer, httpx.Response) and answer.status_code in (200, 503) for answer in answers)
    assert answers[-1].status_code == 200
    assert settled_usage(service) - before == len(results(answers))
    # Nothing of the killed one's is left: no process, no control group.
    wait_until(lambda: not list(living(sandboxes)), lambda: f"{list(living(sandboxes))} still live")
    assert not [group for group in groups if group.exists()]
