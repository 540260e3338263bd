"""`/contexts/{id}/files` against the running service: bytes in, bytes out, and whose they are."""

import json

import httpx
import pytest

from execution.sandbox.context_files import MOST_FILE_BYTES
from tests.contexts.test_execute import execute, primary
from tests.pages.test_docs_examples import fences
from tests.server import Service


@pytest.fixture
def files(api: httpx.Client) -> str:
    """The address of a new context's files."""
    return f"/contexts/{execute(api, 'pass')['context_id']}/files"


def test_the_lines_of_the_documentation_work_as_they_stand(service: Service, api: httpx.Client, files: str) -> None:
    put, seen = (line.replace("$ID", files.split("/")[2]) for line in fences("contexts", "sh")[2].splitlines())
    assert service.shell(put) == ""
    assert service.shell(seen) == "a,b\n1,2\n"
    (listed,) = json.loads(api.get(files).text)["files"]
    shown = json.loads(fences("contexts", "json")[1])
    assert {**listed, "modified_at": shown["files"][0]["modified_at"]} == shown["files"][0]


def test_a_file_goes_in_is_seen_by_cells_and_comes_out(api: httpx.Client, files: str) -> None:
    data = bytes(range(256))
    assert api.put(f"{files}/in/a%20b.bin", content=data).status_code == 204
    context_id = files.split("/")[2]
    cell = execute(
        api, "d = open('in/a b.bin', 'rb').read()\nopen('out.txt', 'wb').write(d * 2)", context_id=context_id
    )
    assert primary(cell)["text"] == "512"
    fetched = api.get(f"{files}/out.txt")
    assert (fetched.content, fetched.headers["Content-Type"]) == (data * 2, "application/octet-stream")
    assert fetched.headers["Content-Disposition"] == "attachment"
    answer = api.get(f"{files}/").json()
    assert [(file["path"], file["size"]) for file in answer["files"]] == [("in/a b.bin", 256), ("out.txt", 512)]
    assert answer["complete"] is True
    assert api.head(f"{files}/out.txt").headers["Content-Length"] == "512"
    assert api.delete(f"{files}/out.txt/").status_code == 204
    for gone in (api.get(f"{files}/out.txt"), api.delete(f"{files}/out.txt")):
        assert (gone.status_code, gone.json()["code"]) == (404, "not_found")


def test_files_are_reached_while_a_cell_runs(service: Service, api: httpx.Client, files: str) -> None:
    body = {"code": "import time\nprint('on', flush=True)\ntime.sleep(60)", "context_id": files.split("/")[2]}
    with api.stream("POST", "/execute", json=body, headers={"Accept": "application/x-ndjson"}) as stream:
        lines = stream.iter_lines()
        assert [json.loads(next(lines))["type"] for _ in range(2)] == ["begin", "stdout"]
        with service.client() as other:
            assert other.put(f"{files}/x", content=b"x").status_code == 204
            assert other.get(f"{files}/x").content == b"x"


def test_a_file_has_so_much_and_no_more(api: httpx.Client, files: str) -> None:
    assert api.put(f"{files}/large", content=bytes(MOST_FILE_BYTES)).status_code == 204
    assert len(api.get(f"{files}/large").content) == MOST_FILE_BYTES
    answer = api.put(f"{files}/larger", content=bytes(MOST_FILE_BYTES + 1))
    assert (answer.status_code, answer.json()["message"]) == (413, "The body is larger than 16 MB.")


def test_strangers_megabytes_are_not_waited_for(service: Service, files: str) -> None:
    answer = httpx.put(
        f"{service.url}{files}/large", content=bytes(5 * 1024 * 1024), headers={"X-API-Key": "nobody’s".encode()}
    )
    assert (answer.status_code, answer.json()["message"]) == (413, "The body is larger than 4 MB.")
    assert httpx.put(f"{service.url}{files}/small", content=b"x").status_code == 401


def test_what_cannot_be_done_is_told(api: httpx.Client, files: str) -> None:
    execute(api, "import os; os.symlink('/etc/passwd', 'link'); os.mkdir('folder')", context_id=files.split("/")[2])
    for refused in (api.get(f"{files}/link"), api.put(f"{files}/folder", content=b""), api.delete(f"{files}/folder")):
        assert (refused.status_code, refused.json()["code"]) == (409, "file_refused")


@pytest.mark.parametrize(
    "path",
    ["..%2F..%2Fetc%2Fpasswd", "a/%2e%2e/b", "%2Fetc", "a%00b", "a%0Ab", "-rf", "a%5Cb", "a//b", "/", "x" * 2000],
)
def test_a_path_that_leads_out_is_named(api: httpx.Client, files: str, path: str) -> None:
    for answer in (api.get(f"{files}/{path}"), api.put(f"{files}/{path}", content=b"x"), api.delete(f"{files}/{path}")):
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == ["path"]
    assert api.get(files).json()["files"] == []


def test_a_stranger_finds_nothing(service: Service, api: httpx.Client, files: str) -> None:
    api.put(f"{files}/secret", content=b"s")
    charlie = httpx.Client(base_url=service.url, headers={"Authorization": service.stranger_key()})
    for answer in (
        charlie.get(files),
        charlie.get(f"{files}/secret"),
        charlie.put(f"{files}/secret", content=b"x"),
        charlie.delete(f"{files}/secret"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert api.get(f"{files}/secret").content == b"s"
    charlie.close()
    assert httpx.get(f"{service.url}{files}").status_code == 401
