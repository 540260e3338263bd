"""`POST /execute` against the running service: state, rich results, limits, and whose context it is."""

import base64
import json
import time
from itertools import groupby
from typing import Any

import httpx
import pytest

from tests.pages.test_docs_examples import fences
from tests.server import Service


def execute(api: httpx.Client, code: str, **fields: Any) -> dict[str, Any]:
    answer = api.post("/execute", json={"code": code, **fields})
    assert answer.status_code == 200, answer.text
    execution: dict[str, Any] = answer.json()
    return execution


def primary(execution: dict[str, Any]) -> dict[str, Any]:
    (item,) = (item for item in execution["items"] if item["is_primary"])
    found: dict[str, Any] = item
    return found


def test_the_lines_of_the_documentation_work_as_they_stand(service: Service, api: httpx.Client) -> None:
    whole, streamed, *_ = fences("contexts", "sh")
    execution = json.loads(service.shell(whole))
    shown = json.loads(fences("contexts", "json")[0])
    assert {**execution, "context_id": shown["context_id"]} == shown
    kinds = [json.loads(line)["type"] for line in service.shell(streamed).splitlines()]
    assert (kinds[0], kinds[-2:]) == ("begin", ["item", "end"])


def test_state_is_kept_and_cells_are_counted(api: httpx.Client) -> None:
    context_id = execute(api, "x = 1")["context_id"]
    for count in range(2, 5):
        execution = execute(api, "x += 1\nprint(x)\nx", context_id=context_id)
        assert (execution["context_id"], execution["execution_count"]) == (context_id, count)
        assert primary(execution)["text"] == str(count)
        assert execution["logs"]["stdout"] == [str(count)]


def test_rich_results_come_under_their_fields(api: httpx.Client) -> None:
    context_id = execute(api, "from IPython.display import *")["context_id"]

    def item(code: str) -> dict[str, Any]:
        return execute(api, code, context_id=context_id, timeout_ms=25_000)["items"][-1]

    frame = item("import pandas\npandas.DataFrame({'a': [1, 2]})")
    assert "<table" in frame["html"]
    assert "a" in frame["text"]
    figure = item("import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])")
    assert base64.b64decode(figure["png"]).startswith(b"\x89PNG")
    assert item("import sympy\nsympy.sqrt(sympy.Symbol('x'))")["latex"] == "$\\displaystyle \\sqrt{x}$"
    image = item("from PIL import Image as PIL\nPIL.new('RGB', (2, 2))")
    assert base64.b64decode(image["png"]).startswith(b"\x89PNG")
    assert item("Markdown('# hi')")["markdown"] == "# hi"
    assert item("SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')")["svg"].startswith("<svg")
    assert item("JSON({'a': [1]})")["json"] == {"a": [1]}
    assert item("Javascript('1')")["javascript"] == "1"
    assert item("HTML('<div>plot</div>')")["html"] == "<div>plot</div>"
    custom = item("class T:\n    def _repr_mimebundle_(self, **_): return {'application/x-t': 'data'}\nT()")
    assert custom["extra"] == {"application/x-t": "data"}


def test_an_update_takes_the_place_of_what_it_updates(api: httpx.Client) -> None:
    code = "from IPython.display import HTML\nh = display(HTML('1'), display_id=True)\ndisplay(2)\nh.update(HTML('3'))"
    assert [item.get("html", item["text"]) for item in execute(api, code)["items"]] == ["3", "2"]


def test_an_exception_is_part_of_the_answer_and_leaves_the_state(api: httpx.Client) -> None:
    execution = execute(api, "x = 5\n{}['k']")
    assert (execution["error"]["name"], execution["error"]["value"]) == ("KeyError", "'k'")
    assert "{}['k']" in execution["error"]["traceback"]
    assert primary(execute(api, "x", context_id=execution["context_id"]))["text"] == "5"


def test_a_timeout_interrupts_and_the_next_cell_works(api: httpx.Client) -> None:
    execution = execute(api, "x = 5\nwhile True: pass", timeout_ms=400)
    assert execution["error"]["name"] == "TimeoutError"
    assert primary(execute(api, "x", context_id=execution["context_id"]))["text"] == "5"


def test_variables_of_the_environment_and_input(api: httpx.Client) -> None:
    code = "import os; print(os.environ['WHO'], input())"
    execution = execute(api, code, env_vars={"WHO": "x=$y"}, input="line\n")
    assert execution["logs"]["stdout"] == ["x=$y line"]


@pytest.mark.parametrize("language", ["python", "py", "python3"])
def test_python_has_three_names(api: httpx.Client, language: str) -> None:
    assert primary(execute(api, "6 * 7", language=language))["text"] == "42"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "code"),
        ({"code": 1}, "code"),
        ({"code": "1", "language": "cobol"}, "language"),
        ({"code": "1", "context_id": 5}, "context_id"),
        ({"code": "1", "env_vars": {"A=B": "c"}}, "env_vars.A=B"),
        ({"code": "1", "env_vars": {"A": "x" * 40_000}}, "env_vars"),
        ({"code": "1", "timeout_ms": -1}, "timeout_ms"),
    ],
)
def test_what_is_wrong_is_named(api: httpx.Client, body: dict[str, Any], field: str) -> None:
    answer = api.post("/execute", json=body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert api.get("/contexts/").json() == {"contexts": []}


def test_a_context_keeps_its_language(api: httpx.Client) -> None:
    context_id = execute(api, "1")["context_id"]
    answer = api.post("/execute", json={"code": "1", "context_id": context_id, "language": "typescript"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "language")


def test_contexts_are_listed_looked_at_restarted_and_closed(api: httpx.Client) -> None:
    context_id = execute(api, "x = 1")["context_id"]
    (listed,) = api.get("/contexts").json()["contexts"]
    assert (listed["context_id"], listed["language"], listed["state"], listed["execution_count"]) == (
        context_id,
        "python",
        "idle",
        1,
    )
    assert api.get(f"/contexts/{context_id}").json() == listed
    assert api.post(f"/contexts/{context_id}/interrupt").json()["state"] == "idle"
    assert api.post(f"/contexts/{context_id}/restart").json()["execution_count"] == 0
    assert execute(api, "x", context_id=context_id)["error"]["name"] == "NameError"
    assert api.delete(f"/contexts/{context_id}").status_code == 204
    assert api.get(f"/contexts/{context_id}").status_code == 404
    assert api.post("/execute", json={"code": "1", "context_id": context_id}).status_code == 404


def test_a_context_that_ran_out_of_memory_says_so_and_waits_to_be_restarted(api: httpx.Client) -> None:
    execution = execute(api, "hog = bytearray(10 ** 9)")
    assert execution["error"]["name"] == "MemoryLimit"
    context_id = execution["context_id"]
    answer = api.post("/execute", json={"code": "1", "context_id": context_id})
    assert (answer.status_code, answer.json()["code"]) == (409, "context_ended")
    api.post(f"/contexts/{context_id}/restart").raise_for_status()
    assert primary(execute(api, "1", context_id=context_id))["text"] == "1"


def test_a_cell_is_a_run_of_the_quota_and_a_refusal_is_none(service: Service, api: httpx.Client) -> None:
    before = service.usage()["runs_used"]
    answer = api.post("/execute", json={"code": "1"})
    assert "RateLimit" in answer.headers
    api.post("/execute", json={"code": "1", "context_id": "none"})
    api.post("/execute", json={})
    assert service.usage()["runs_used"] == before + 1


def test_the_plan_says_how_many_may_be_open(api: httpx.Client) -> None:
    for _ in range(4):
        execute(api, "1")
    answer = api.post("/execute", json={"code": "1"})
    assert (answer.status_code, answer.json()["code"]) == (429, "context_limit")
    assert answer.headers["Retry-After"]


def test_a_strangers_context_is_not_there(service: Service, api: httpx.Client) -> None:
    context_id = execute(api, "secret = 42")["context_id"]
    stranger = service.stranger_key()
    with httpx.Client(base_url=service.url, headers={"X-API-Key": stranger}, timeout=30) as charlie:
        assert charlie.get("/contexts/").json() == {"contexts": []}
        answer = charlie.post("/execute", json={"code": "secret", "context_id": context_id})
        assert answer.status_code == 404
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/interrupt"), ("POST", "/restart")):
            assert charlie.request(method, f"/contexts/{context_id}{path}").status_code == 404
    assert primary(execute(api, "secret", context_id=context_id))["text"] == "42"


def test_a_websocket_key_is_refused(service: Service) -> None:
    headers = {"X-API-Key": service.demo["websocket_key"]}
    for method, path in (("POST", "/execute"), ("GET", "/contexts"), ("GET", "/contexts/x")):
        assert httpx.request(method, service.url + path, headers=headers, json={"code": "1"}).status_code == 403


STREAMED = """import time
for n in range(3):
    print(n, flush=True)
    time.sleep(0.3)
display(6)
h = display(7, display_id="a")
1 / 0"""


def test_a_stream_tells_what_happens_as_it_happens(api: httpx.Client) -> None:
    with api.stream("POST", "/execute", json={"code": STREAMED}, headers={"Accept": "application/x-ndjson"}) as answer:
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        assert "RateLimit" in answer.headers
        told = [(time.monotonic(), json.loads(line)) for line in answer.iter_lines()]
    printed = [(when, event["text"]) for when, event in told if event["type"] == "stdout"]
    events = [event for _, event in told if event["type"] != "stdout"]
    assert [event["type"] for event in events] == ["begin", "item", "item", "end"]
    assert "".join(text for _, text in printed) == "0\n1\n2\n"
    assert printed[-1][0] - printed[0][0] > 0.4  # each when it was printed, not all in the end
    assert (events[1]["item"]["text"], events[2]["display_id"]) == ("6", "a")
    assert events[-1]["error"]["name"] == "ZeroDivisionError"
    assert events[-1]["context_id"] == events[0]["context_id"]


def test_a_stream_of_server_sent_events(api: httpx.Client) -> None:
    answer = api.post("/execute", json={"code": "print('hi')"}, headers={"Accept": "text/event-stream"})
    assert answer.headers["Content-Type"] == "text/event-stream"
    kinds = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
    # What one call prints may come in pieces.
    assert [kind for kind, _ in groupby(kinds)] == ["begin", "stdout", "end"]


def test_what_is_refused_is_refused_before_a_stream_begins(api: httpx.Client) -> None:
    headers = {"Accept": "application/x-ndjson"}
    assert api.post("/execute", json={"code": "1", "context_id": "none"}, headers=headers).status_code == 404
    assert api.post("/execute", json={}, headers=headers).status_code == 400


def test_who_leaves_a_stream_interrupts_the_cell_and_the_next_one_works(api: httpx.Client) -> None:
    code = "x = 5\nprint('begun', flush=True)\nwhile True: pass"
    with api.stream("POST", "/execute", json={"code": code}, headers={"Accept": "application/x-ndjson"}) as answer:
        lines = answer.iter_lines()
        context_id = json.loads(next(lines))["context_id"]
        assert json.loads(next(lines))["text"].startswith("begun")
    assert primary(execute(api, "x", context_id=context_id))["text"] == "5"
