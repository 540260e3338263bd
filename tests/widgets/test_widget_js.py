"""GET /widget.js and its parts, as pages of other origins fetch them."""

import re

import httpx
import pytest

from tests.server import Service


@pytest.fixture
def loader(service: Service) -> httpx.Response:
    return httpx.get(f"{service.url}/widget.js", headers={"Origin": "https://example.com"})


def part(service: Service, loader: httpx.Response) -> httpx.Response:
    (path,) = re.findall(r"static/widget/main-[A-Z0-9]{8}\.js", loader.text)
    return httpx.get(f"{service.url}/{path}", headers={"Origin": "https://example.com"})


def test_any_page_may_load_it(service: Service, loader: httpx.Response) -> None:
    for answer in (loader, part(service, loader)):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers


def test_the_loader_is_kept_for_minutes_and_then_asked_for_again(service: Service, loader: httpx.Response) -> None:
    assert "max-age=300" in loader.headers["Cache-Control"]
    again = httpx.get(f"{service.url}/widget.js", headers={"If-None-Match": loader.headers["ETag"]})
    assert again.status_code == 304
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    assert httpx.get(f"{service.url}/widget.js", headers={"If-None-Match": '"another"'}).status_code == 200


def test_its_parts_are_kept_for_ever_and_compressed(service: Service, loader: httpx.Response) -> None:
    answer = part(service, loader)
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"


def test_files_with_the_storages_digest_are_still_kept_for_ever(service: Service) -> None:
    (path,) = set(re.findall(r"/static/css/tokens\.[0-9a-f]{12}\.css", httpx.get(service.url).text))
    assert "immutable" in httpx.get(service.url + path).headers["Cache-Control"]
    assert "immutable" not in httpx.get(f"{service.url}/static/css/tokens.css").headers["Cache-Control"]
    assert "immutable" not in httpx.get(f"{service.url}/static/widget/widget.js").headers["Cache-Control"]


def test_the_list_of_compilers_is_for_any_page_too(service: Service) -> None:
    answer = httpx.get(f"{service.url}/api/compilers/", headers={"Origin": "https://example.com"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_it_is_only_read(service: Service) -> None:
    assert httpx.head(f"{service.url}/widget.js").status_code == 200
    assert httpx.post(f"{service.url}/widget.js").status_code == 405
