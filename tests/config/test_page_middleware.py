"""What the page middleware adds to Django's: request ids, log lines, the JSON shape below API paths."""

import json
import re

import pytest
from django.test import AsyncClient, Client

SECRET = "rs_Zk3pQ9vX7sT1uB5nM8rW2yD4fG6hJ0aLcEeIiOoQ"


@pytest.fixture(autouse=True)
def _urls(settings):
    settings.ROOT_URLCONF = "tests.config.views"


def lines(written: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.splitlines() if line.startswith("{")]


def test_a_page_has_a_request_id_and_a_log_line_with_it(capfd):
    response = Client().get("/page/length/", headers={"X-Request-ID": "page-1"})
    assert response.headers["X-Request-ID"] == "page-1"
    (line,) = lines(capfd.readouterr().err)
    assert (line["event"], line["request_id"], line["path"], line["status"]) == (
        "request",
        "page-1",
        "/page/length/",
        200,
    )


async def test_it_stays_on_the_event_loop_for_async_views(capfd):
    response = await AsyncClient().get("/page/length/")
    assert response.headers["X-Request-ID"]
    assert len(lines(capfd.readouterr().err)) == 1


def test_neither_a_query_nor_a_long_path_segment_is_logged(capfd):
    Client().get(f"/page/{SECRET}/?token={SECRET}", headers={"Authorization": SECRET})
    written = capfd.readouterr().err
    assert "/page/…/" in written
    assert SECRET not in written


def test_a_broken_page_is_logged_with_its_traceback_but_without_its_secrets(capfd):
    client = Client(raise_request_exception=False)
    response = client.get(f"/page/breaks/?token={SECRET}", headers={"X-Request-ID": "broken-1"})
    assert response.status_code == 500
    written = capfd.readouterr().err
    assert SECRET not in written
    (line,) = [line for line in lines(written) if line["level"] == "error"]
    assert line["request_id"] == "broken-1"
    assert "RuntimeError" in str(line["exception"])


def test_pages_are_told_to_forbid_what_they_do_not_use():
    headers = Client().get("/page/length/").headers
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"


def test_the_content_security_policy_allows_nothing_inline_and_nothing_foreign():
    policy = Client().get("/page/length/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"unsafe|https?:|\*", policy)


def test_a_refusal_has_its_shape_on_the_page_handler_too():
    response = Client().get("/api/refuses/")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert response.json()["code"] == "rate_limit"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/nowhere/", 404, "not_found"),
        ("/api/not-there/", 404, "not_found"),
        ("/api/not-allowed/", 403, "forbidden"),
        ("/api/echo/", 405, "method_not_allowed"),
        ("/api/breaks/", 500, "internal_error"),
    ],
)
def test_errors_below_api_paths_are_json_on_the_page_handler_too(path, status, code):
    response = Client(raise_request_exception=False).get(path)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json().keys() == {"message", "code", "errors"}
    assert "hunter2" not in response.text


def test_errors_elsewhere_are_pages():
    response = Client().get("/page/nowhere/")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")
