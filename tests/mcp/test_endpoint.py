"""`/mcp` over HTTP: who is let in, and what the answers carry."""

import asyncio
from dataclasses import replace

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from accounts.authentication import announce_change
from billing import subscriptions
from billing.plans import FREE, Rate
from config.asgi import http
from execution.mcp_server import session_manager
from tests.execution.test_errors import check_shape
from tests.mcp.conftest import message_of

METADATA = "/.well-known/oauth-protected-resource"


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
async def test_it_answers_with_and_without_the_final_slash(mcp, path):
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}
    answer = message_of(await mcp.request("POST", path, json=message))
    assert answer["id"] == 7
    assert {tool["name"] for tool in answer["result"]["tools"]} == {"run_code", "list_compilers"}


async def test_an_address_below_it_is_404_in_the_error_shape(mcp):
    check_shape(await mcp.request("POST", "/mcp/x", json={}), 404, "not_found")


# --- The key ---


@pytest.mark.parametrize("header", ["X-API-Key: {}", "Authorization: {}", "Authorization: Bearer {}"])
async def test_a_key_is_taken_in_each_documented_header(mcp, header):
    name, _, value = header.format(mcp.key).partition(": ")
    assert (await mcp.post(key="", headers={name: value})).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_without_a_key_it_is_401_and_says_where_to_learn_more(mcp, method):
    response = await mcp.request(method, key="")
    check_shape(response, 401, "key_missing")
    url = f"{settings.PUBLIC_URL}{METADATA}/mcp"
    assert response.headers["WWW-Authenticate"] == f'Bearer resource_metadata="{url}"'


async def test_an_unknown_key_is_401_and_called_invalid(mcp):
    response = await mcp.post(key="rk_abcdefgh_" + "x" * 40)
    check_shape(response, 401, "key_unknown")
    assert response.headers["WWW-Authenticate"].endswith(', error="invalid_token"')


async def test_a_revoked_key_is_401_at_once(mcp, cast):
    assert (await mcp.post()).status_code == 200
    row = cast.alice.api_key_row
    row.revoked_at = row.created_at
    await row.asave()
    await sync_to_async(announce_change)(kind="api", key_id=row.pk)
    check_shape(await mcp.post(), 401, "key_revoked")


async def test_it_refuses_a_widget_key(mcp, cast):
    check_shape(await mcp.post(key=cast.alice.websocket_key), 403, "wrong_key_kind")


@pytest.mark.parametrize("path", [METADATA, f"{METADATA}/", f"{METADATA}/mcp", f"{METADATA}/mcp/"])
async def test_the_metadata_name_the_resource_and_promise_no_sign_in(mcp, path):
    response = await mcp.request("GET", path, key="")
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    metadata = response.json()
    assert metadata["resource"] == f"{settings.PUBLIC_URL}/mcp"
    assert metadata["bearer_methods_supported"] == ["header"]
    assert "authorization_servers" not in metadata


# --- Host and Origin ---


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost.evil.example", "", "a b"])
async def test_a_host_that_is_not_ours_is_refused(mcp, host):
    check_shape(await mcp.post(headers={"Host": host}), 400, "invalid")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:8001", "https://localhost:8000"])
async def test_a_foreign_origin_is_refused(mcp, origin):
    check_shape(await mcp.post(headers={"Origin": origin}), 403, "foreign_origin")


async def test_our_own_origin_is_good(mcp):
    assert (await mcp.post(headers={"Origin": "http://localhost:8000"})).status_code == 200


async def test_an_origin_that_the_key_is_bound_to_is_good_and_no_other(mcp, cast):
    row = cast.alice.api_key_row
    row.origins = ["https://app.example"]
    await row.asave()
    await sync_to_async(announce_change)(kind="api", key_id=row.pk)
    assert (await mcp.post(headers={"Origin": "https://app.example"})).status_code == 200
    for headers in ({"Origin": "https://other.example"}, {}):
        check_shape(await mcp.post(headers=headers), 403, "foreign_origin")


async def test_a_browser_may_ask_first(mcp):
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    response = await mcp.request("OPTIONS", key="", headers=headers)
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]


# --- The revisions of the protocol ---


@pytest.mark.parametrize("version", HANDSHAKE_PROTOCOL_VERSIONS)
async def test_every_revision_with_a_handshake_is_spoken(mcp, version):
    client = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
    response = await mcp.post("initialize", client)
    result = message_of(response)["result"]
    assert result["protocolVersion"] == version
    assert result["capabilities"].keys() == {"tools", "resources"}
    assert result["serverInfo"]["name"] == "runcode"
    assert result["instructions"]
    headers = {"MCP-Protocol-Version": version, "Mcp-Session-Id": response.headers["Mcp-Session-Id"]}
    assert (await mcp.post("ping", headers=headers)).status_code == 200
    assert message_of(await mcp.run(headers=headers))["result"]["structuredContent"]["output"] == "1\n"


async def test_a_revision_that_nobody_knows_is_refused(mcp):
    response = await mcp.post(headers={"MCP-Protocol-Version": "1999-01-01"})
    assert response.status_code == 400
    assert response.json()["error"]["code"] < 0


# --- What is no message ---


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
async def test_other_methods_are_405(mcp, method):
    response = await mcp.request(method)
    check_shape(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_another_content_type_is_415(mcp, content_type):
    response = await mcp.request("POST", content=b"{}", headers={"Content-Type": content_type})
    check_shape(response, 415, "unsupported_media_type")


async def test_a_large_body_is_413(mcp):
    response = await mcp.request("POST", content=b"x" * (5 << 20), headers={"Content-Type": "application/json"})
    check_shape(response, 413, "body_too_large")


@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"7", b"null", b'{"jsonrpc": "2.0"}', b'{"id": 1}', b"\xff", b"[" * 100_000, b'"\\ud83d"'],
    ids=lambda body: repr(body[:20]),
)
async def test_what_is_no_message_is_400_with_a_json_rpc_error(mcp, version, body):
    headers = {"Content-Type": "application/json", "MCP-Protocol-Version": version}
    response = await mcp.request("POST", content=body, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"]["code"] < 0


@pytest.mark.parametrize(
    "params",
    [None, 7, [], {"name": 7}, {"name": "run_code", "arguments": []}, {"arguments": {}}, {"name": "\ud83d"}],
    ids=repr,
)
async def test_parameters_that_are_none_are_refused_and_break_nothing(mcp, params):
    response = await mcp.post("tools/call", params)
    assert response.status_code in {200, 400}
    assert response.json()["error"]["code"] < 0 if response.status_code == 400 else "error" in message_of(response)


@pytest.mark.parametrize(
    "arguments", [{"code": "\ud83d"}, {"compiler": "\ud83d"}, {"\ud83d": 1}, {"code": ["a"]}], ids=ascii
)
@pytest.mark.parametrize("post", ["post", "post_modern"])
async def test_arguments_of_any_kind_are_refused_in_words(mcp, post, arguments):
    arguments = {"compiler": "python-3.14", "code": "print(1)", **arguments}
    response = await getattr(mcp, post)("tools/call", {"name": "run_code", "arguments": arguments})
    if response.status_code == 400:
        assert response.json()["error"]["code"] < 0
    else:
        assert message_of(response)["result"]["isError"]


# --- What the answers carry ---


async def test_a_counted_call_tells_the_limits(mcp):
    response = await mcp.run()
    assert message_of(response)["result"]["structuredContent"]["output"] == "1\n"
    assert '"runs";r=' in response.headers["RateLimit"]
    assert '"runs";q=' in response.headers["RateLimit-Policy"]
    assert "RateLimit" not in (await mcp.post()).headers


async def test_a_call_past_the_limits_is_a_tool_error_and_says_when_to_come_again(mcp, monkeypatch):
    slow = replace(FREE, rate=Rate(per_second=1, burst=1))
    monkeypatch.setattr(subscriptions, "look_up", lambda _organisation_id: subscriptions.Standing(plan=slow))
    await mcp.run()
    response = await mcp.run()
    result = message_of(response)["result"]
    assert result["isError"]
    assert "Wait" in result["content"][0]["text"]
    assert result["_meta"]["runcode/error"]["code"] == "rate_limit"
    assert int(response.headers["Retry-After"]) >= 1
    assert "RateLimit" in response.headers


async def test_a_run_counts_for_the_keys_organisation_alone(mcp, cast):
    def left(response: httpx.Response) -> str:
        return response.headers["RateLimit"].partition(";t=")[0]

    assert left(await mcp.run()) == f'"runs";r={FREE.runs_per_month - 1}'
    assert left(await mcp.run(key=cast.charlie.api_key)) == f'"runs";r={FREE.runs_per_month - 1}'
    assert left(await mcp.run(key=cast.bob.api_key)) == f'"runs";r={FREE.runs_per_month - 2}'


async def test_every_answer_carries_a_request_id(mcp):
    assert (await mcp.post(headers={"X-Request-ID": "mine"})).headers["X-Request-ID"] == "mine"
    assert len((await mcp.post(key="")).headers["X-Request-ID"]) == 32


async def test_it_starts_by_itself_where_no_server_told_it_to(cast):
    """As under daphne, which tells an application nothing of its start."""
    headers = {"Authorization": cast.alice.api_key, "Accept": "application/json, text/event-stream"}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(http), base_url="http://localhost:8000") as client:
        responses = await asyncio.gather(*(client.post("/mcp", json=message, headers=headers) for _ in range(5)))
    assert [response.status_code for response in responses] == [200] * 5
    assert await session_manager() is await session_manager()
