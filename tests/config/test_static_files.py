"""Static files, answered beside Django."""

import pytest

from config.static_files import CHUNK, StaticFiles
from tests.config.asgi_client import Answer, call


@pytest.fixture
def files(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "site.css").write_text("body { color: teal }")
    (tmp_path / "large.bin").write_bytes(bytes(range(256)) * (CHUNK // 128))
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = False
    return StaticFiles()


async def get(files: StaticFiles, path: str, method: str = "GET", **headers: str) -> Answer:
    file = files.find(path)
    assert file is not None

    async def app(scope, receive, send):
        await files.serve(file, scope, receive, send)

    return await call(app, method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def test_it_serves_a_file_with_its_type_and_length(files):
    answer = await get(files, "/static/css/site.css")
    assert (answer.status, answer.body) == (200, b"body { color: teal }")
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["content-length"] == "20"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_it_serves_a_file_of_several_chunks_whole(files):
    answer = await get(files, "/static/large.bin")
    assert answer.body == bytes(range(256)) * (CHUNK // 128)


async def test_a_browser_that_has_the_file_is_told_so(files):
    etag = (await get(files, "/static/css/site.css")).headers["etag"]
    answer = await get(files, "/static/css/site.css", if_none_match=etag)
    assert (answer.status, answer.body) == (304, b"")


async def test_it_serves_a_range(files):
    answer = await get(files, "/static/css/site.css", range="bytes=0-3")
    assert (answer.status, answer.body) == (206, b"body")


async def test_head_sends_no_content(files):
    answer = await get(files, "/static/css/site.css", method="HEAD")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "20")


async def test_it_refuses_other_methods(files):
    assert (await get(files, "/static/css/site.css", method="POST")).status == 405


@pytest.mark.parametrize("path", ["/static/", "/static/nothing.css", "/static/../settings.py", "/css/site.css", "/"])
def test_it_finds_nothing_else(files, path):
    assert files.find(path) is None
