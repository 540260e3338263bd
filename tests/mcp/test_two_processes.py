"""No session is kept, so any process answers any request of a client, and ends a call that another one carries out."""

import concurrent.futures
import json

import httpx

from tests.execution.test_service import processes_named
from tests.mcp.conftest import ACCEPT, message_of
from tests.mcp.test_clients import sleeper
from tests.ratelimits.redis_server import RedisServer
from tests.server import Service, running_service, wait_until


def post(url: str, service: Service, message: dict, session: str | None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {service.demo['api_key']}", "Accept": ACCEPT}
    if session:
        headers["Mcp-Session-Id"] = session
    return httpx.post(f"{url}/mcp", json={"jsonrpc": "2.0", **message}, headers=headers, timeout=60)


def test_a_session_spans_two_processes(redis_server: RedisServer, mark: str):
    with running_service(REDIS_URL=redis_server.url) as service, service.second_web() as second:
        hello = {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "tests", "version": "1"},
        }
        session = post(service.url, service, {"id": 0, "method": "initialize", "params": hello}, None).headers[
            "Mcp-Session-Id"
        ]
        call = {"name": "run_code", "arguments": {"compiler": "python-3.14", "code": sleeper(mark)}}
        with concurrent.futures.ThreadPoolExecutor() as pool:
            message = {"id": 1, "method": "tools/call", "params": call}
            calling = pool.submit(post, service.url, service, message, session)
            wait_until(lambda: bool(processes_named(mark)), service.log)
            cancel = {"method": "notifications/cancelled", "params": {"requestId": 1}}
            # Neither another client's session nor another id ends it.
            post(second, service, cancel, "another")
            post(second, service, {**cancel, "params": {"requestId": "1"}}, session)
            assert processes_named(mark)
            assert post(second, service, cancel, session).status_code == 202
            wait_until(lambda: not processes_named(mark), service.log, 5)
            assert "error" in message_of(calling.result())
        assert service.usage()["runs_used"] == 0
        tools = message_of(post(second, service, {"id": 2, "method": "tools/list"}, session))
        assert "run_code" in json.dumps(tools)
