"""The composition: which part of the service answers which request."""

import asyncio

import pytest

from config import asgi
from tests.config.asgi_client import call, exchange
from tests.config.views import Sleeper

HOST = {"Host": "localhost"}


@pytest.fixture(autouse=True)
def _urls(settings):
    settings.ROOT_URLCONF = "tests.config.views"


async def test_api_paths_take_the_short_way():
    headers = (await call(asgi.http, "GET", "/api/length/", headers=HOST)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; frame-ancestors")
    assert "permissions-policy" not in headers


async def test_pages_take_the_long_one():
    headers = (await call(asgi.http, "GET", "/page/length/", headers=HOST)).headers
    assert "permissions-policy" in headers


@pytest.mark.parametrize("path", ["/api", "/api/", "/apiary/", "/apis"])
async def test_only_whole_segments_make_an_api_path(path):
    answer = await call(asgi.http, "GET", path, headers=HOST)
    is_api = path.strip("/") == "api"
    assert answer.status == 404
    assert (answer.headers["content-type"] == "application/json") == is_api


@pytest.mark.parametrize("path", ["/api/scheme/", "/page/scheme/"])
@pytest.mark.parametrize(("https", "scheme"), [(True, "https"), (False, "http")])
async def test_the_public_address_tells_the_scheme_and_no_header_does(settings, path, https, scheme):
    settings.HTTPS = https
    headers = {**HOST, "X-Forwarded-Proto": "http" if https else "https"}
    assert (await call(asgi.http, "GET", path, headers=headers)).json() == {"scheme": scheme}


@pytest.mark.parametrize("kind", ["api", "page"])
async def test_a_client_that_hangs_up_ends_its_view_and_is_logged_as_gone(kind, capfd):
    Sleeper.reset()
    request = exchange("GET", f"/{kind}/sleeper/", HOST)
    request.send_body(b"")
    serving = asyncio.create_task(asgi.http(request.scope, request.receive, request.send))
    await asyncio.wait_for(Sleeper.started.wait(), 10)
    request.hang_up()
    await asyncio.wait_for(serving, 10)
    assert Sleeper.cancelled.is_set()
    assert '"status": 499' in capfd.readouterr().err


async def test_a_page_is_sent_no_endless_body(settings):
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    declared = exchange("POST", "/page/echo/", {**HOST, "Content-Length": str(limit + 1)})
    await asgi.http(declared.scope, declared.receive, declared.send)
    undeclared = exchange("POST", "/page/echo/", HOST)
    for _ in range(5):
        undeclared.send_body(bytes(limit // 2), more=True)
    await asgi.http(undeclared.scope, undeclared.receive, undeclared.send)
    assert (declared.received, undeclared.received) == (0, 3)
    for request in (declared, undeclared):
        assert (request.answer.status, request.answer.headers["connection"]) == (413, "close")
    fits = await call(asgi.http, "POST", "/page/echo/", headers=HOST, body=bytes(limit))
    assert (fits.status, len(fits.body)) == (200, limit)


async def test_an_unknown_host_gets_no_page():
    assert (await call(asgi.http, "GET", "/page/length/", headers={"Host": "evil.example"})).status == 400
