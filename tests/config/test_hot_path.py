"""The short handler of API paths."""

import asyncio
import json

import pytest

from config import hot_path
from config.hot_path import BODY_LIMIT, DRAINED_BODY, HotHandler
from tests.config.asgi_client import call, exchange
from tests.config.views import Sleeper


@pytest.fixture(autouse=True)
def _urls(settings):
    settings.ROOT_URLCONF = "tests.config.views"


@pytest.fixture
def handler():
    return HotHandler()


async def test_it_answers_with_what_the_view_returns(handler):
    answer = await call(handler, "POST", "/api/echo/", body=b"\x00\xff text")
    assert (answer.status, answer.body) == (200, b"\x00\xff text")
    assert answer.headers["content-length"] == "7"


@pytest.mark.parametrize("path", ["/api/echo", "/api/echo/"])
async def test_it_resolves_the_urls_of_the_service(handler, path):
    assert (await call(handler, "POST", path, body=b"x")).status == 200


async def test_it_joins_a_body_that_comes_in_parts(handler):
    request = exchange("POST", "/api/echo/")
    for part in (b"one ", b"two ", b""):
        request.send_body(part, more=True)
    request.send_body(b"three")
    await handler(request.scope, request.receive, request.send)
    assert request.answer.body == b"one two three"


async def test_it_refuses_a_body_declared_too_large_without_reading_it(handler):
    request = exchange("POST", "/api/echo/", {"content-length": str(BODY_LIMIT + 1)})
    await handler(request.scope, request.receive, request.send)
    assert (request.answer.status, request.answer.json()["code"]) == (413, "body_too_large")
    assert request.received == 0


async def test_it_hangs_up_on_a_body_that_would_take_too_long_to_drop(handler):
    small = await call(handler, "POST", "/api/echo/", headers={"content-length": str(DRAINED_BODY)})
    large = await call(handler, "POST", "/api/echo/", headers={"content-length": str(DRAINED_BODY + 1)})
    assert "connection" not in small.headers
    assert large.headers["connection"] == "close"


async def test_it_stops_reading_where_a_body_without_length_passes_the_limit(handler):
    request = exchange("POST", "/api/echo/")
    for _ in range(10):
        request.send_body(bytes(BODY_LIMIT // 2), more=True)
    await handler(request.scope, request.receive, request.send)
    assert (request.answer.status, request.answer.headers["connection"]) == (413, "close")
    assert request.received == 3


async def test_it_takes_a_body_of_exactly_the_limit(handler):
    answer = await call(handler, "POST", "/api/echo/", body=bytes(BODY_LIMIT))
    assert (answer.status, len(answer.body)) == (200, BODY_LIMIT)


@pytest.mark.parametrize("parts", [0, 1, 2])
async def test_it_refuses_a_body_that_never_ends(handler, monkeypatch, parts):
    monkeypatch.setattr(hot_path, "BODY_SECONDS", 0.01)
    request = exchange("POST", "/api/echo/", {"content-length": "10"})
    for _ in range(parts):
        request.send_body(b"{", more=True)
    await handler(request.scope, request.receive, request.send)
    assert (request.answer.status, request.answer.json()["code"]) == (408, "body_too_slow")


async def test_it_cancels_the_view_when_the_client_hangs_up(handler):
    Sleeper.reset()
    request = exchange("POST", "/api/sleeper/")
    request.send_body(b"")
    serving = asyncio.create_task(handler(request.scope, request.receive, request.send))
    await asyncio.wait_for(Sleeper.started.wait(), 10)
    request.hang_up()
    await asyncio.wait_for(serving, 10)
    assert Sleeper.cancelled.is_set()
    assert not request.answered


async def test_it_never_calls_the_view_when_the_client_hangs_up_within_its_body(handler):
    Sleeper.reset()
    request = exchange("POST", "/api/sleeper/")
    request.send_body(b"{", more=True)
    request.hang_up()
    await asyncio.wait_for(handler(request.scope, request.receive, request.send), 10)
    assert not Sleeper.started.is_set()
    assert not request.answered


async def test_it_lets_the_server_cancel_it(handler):
    Sleeper.reset()
    request = exchange("POST", "/api/sleeper/")
    request.send_body(b"")
    serving = asyncio.create_task(handler(request.scope, request.receive, request.send))
    await asyncio.wait_for(Sleeper.started.wait(), 10)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert Sleeper.cancelled.is_set()


async def test_it_gives_a_refusal_its_status_headers_and_shape(handler):
    answer = await call(handler, "GET", "/api/refuses/")
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "message": "Too fast.",
        "code": "rate_limit",
        "errors": [{"field": "compiler", "error": "is tired"}],
    }


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/not-there/", 404, "not_found"),
        ("/api/nowhere/", 404, "not_found"),
        ("/api/not-allowed/", 403, "forbidden"),
    ],
)
async def test_it_gives_djangos_own_exceptions_the_shape(handler, path, status, code):
    answer = await call(handler, "GET", path)
    assert answer.status == status
    assert answer.json().keys() == {"message", "code", "errors"}
    assert answer.json()["code"] == code
    assert b"secret" not in answer.body


async def test_it_says_nothing_of_what_broke_but_its_request_id(handler, capfd):
    answer = await call(handler, "GET", "/api/breaks/", headers={"X-Request-ID": "ticket-17"})
    assert (answer.status, answer.json()["code"]) == (500, "internal_error")
    assert b"hunter2" not in answer.body
    assert "ticket-17" in answer.json()["message"]


async def test_it_refuses_a_query_that_is_not_utf8(handler):
    answer = await call(handler, "GET", "/api/length/", query="a=\xff")
    assert (answer.status, answer.json()["code"]) == (400, "invalid")


async def test_it_names_the_methods_that_a_path_takes(handler):
    answer = await call(handler, "GET", "/api/echo/")
    assert (answer.status, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST, OPTIONS"


async def test_it_answers_a_browsers_preflight(handler):
    answer = await call(
        handler,
        "OPTIONS",
        "/api/echo/",
        headers={"Origin": "https://example.com", "Access-Control-Request-Method": "POST"},
    )
    assert (answer.status, answer.body) == (204, b"")
    assert "content-type" not in answer.headers
    assert answer.headers["allow"] == "POST, OPTIONS"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert "Authorization" in answer.headers["access-control-allow-headers"]


async def test_a_head_request_has_the_length_of_the_get(handler):
    get = await call(handler, "GET", "/api/length/")
    head = await call(handler, "HEAD", "/api/length/")
    assert head.status == 200
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.body))


async def test_it_runs_a_synchronous_view_in_a_thread(handler):
    assert (await call(handler, "GET", "/api/in-a-thread/")).json() == {"thread": True}


async def test_no_answer_may_be_stored_framed_or_guessed_at(handler):
    for path in ("/api/length/", "/api/nowhere/", "/api/breaks/"):
        headers = (await call(handler, "GET", path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


async def test_hsts_is_sent_over_https_only(handler, settings):
    settings.SECURE_HSTS_SECONDS = 3600
    request = exchange("GET", "/api/length/")
    request.send_body(b"")
    request.scope["scheme"] = "https"
    await handler(request.scope, request.receive, request.send)
    assert request.answer.headers["strict-transport-security"] == "max-age=3600"
    assert "strict-transport-security" not in (await call(handler, "GET", "/api/length/")).headers


async def test_it_keeps_a_sane_request_id_and_replaces_any_other(handler):
    async def id_for(sent: dict[str, str]) -> str:
        return (await call(handler, "GET", "/api/length/", headers=sent)).headers["x-request-id"]

    sane = "4bf92f3577b34da6a3ce929d0e0e4736"
    assert await id_for({"X-Request-ID": sane}) == sane
    made = [await id_for({"X-Request-ID": bad}) for bad in ("", "a b", "x" * 65, 'a"b', "é")]
    made.append(await id_for({}))
    assert len(set(made)) == len(made)
    assert all(len(name) == 32 and int(name, 16) >= 0 for name in made)


async def test_its_log_line_holds_no_secret(handler, capfd):
    secret = "Zk3pQ9vX7sT1uB5nM8rW2yD4fG6hJ0aLcEeIiOo"
    await call(
        handler,
        "GET",
        f"/cus/{secret}/",
        headers={"Authorization": f"Bearer {secret}", "X-API-Key": secret, "Cookie": secret, "X-Request-ID": "r-1"},
        query=f"key={secret}",
    )
    written = capfd.readouterr().err
    assert secret not in written
    (line,) = [json.loads(line) for line in written.splitlines() if "r-1" in line]
    assert (line["path"], line["status"], line["method"]) == ("/cus/…/", 200, "GET")
