"""The composition: which part of the service answers which request."""

import pytest

from config import asgi
from tests.config.asgi_client import call

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


async def test_an_unknown_host_gets_no_page():
    assert (await call(asgi.http, "GET", "/page/length/", headers={"Host": "evil.example"})).status == 400
