"""The examples of the documentation work as they stand, against the whole service."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.server import Service, wait_until

FOLDER = Path(settings.BASE_DIR) / "docs"


def fences(slug: str, language: str) -> list[str]:
    text = (FOLDER / f"{slug}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


CALLS = [
    pytest.param(code, id=f"{slug}-{number}")
    for slug in ("quickstart", "api", "runs", "batch", "execute", "usage")
    for number, code in enumerate(fences(slug, "sh"))
    if code.startswith("curl ") and "x-ndjson" not in code
]


@pytest.mark.parametrize("code", CALLS)
def test_the_shell_examples_answer(service: Service, code: str) -> None:
    answer = json.loads(service.shell(code))
    succeeded = answer["data"]["exitCode"] == 0 if "data" in answer else answer.get("status") == "success"
    assert "runs_left" in answer or "results" in answer or succeeded


def test_the_quick_starts_first_call_gives_the_answer_that_it_shows(service: Service) -> None:
    shown = json.loads(fences("quickstart", "json")[0])
    sent = json.loads(re.search(r"-d '(.*)'", fences("quickstart", "sh")[1])[1])  # type: ignore[index]
    with service.client() as client:
        answer = client.post("/api/run-code-sync/", json=sent).json()
    assert answer.keys() == shown.keys()
    varying = {"time", "total", "memory"}
    assert {n: v for n, v in answer.items() if n not in varying} == {n: v for n, v in shown.items() if n not in varying}


def test_the_python_example_answers(service: Service) -> None:
    (code,) = fences("quickstart", "python")
    code = code.replace("$BASE", service.url).replace("$API_KEY", service.demo["api_key"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "success 5050\n\n"


def test_the_python_example_of_runs_looks_at_the_newest(service: Service) -> None:
    with service.client() as client:
        client.post("/api/run-code-sync/", json={"compiler": "python-3.14", "code": "exit(3)"}).raise_for_status()
        wait_until(lambda: bool(client.get("/api/runs/?limit=1").json()["results"]), service.log)
    (code,) = fences("runs", "python")
    code = code.replace("$BASE", service.url).replace("$API_KEY", service.demo["api_key"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert re.fullmatch(r"finished \d+\n", done.stdout)


def test_the_lines_of_a_batch_come_one_by_one(service: Service) -> None:
    (code,) = [code for code in fences("batch", "sh") if "x-ndjson" in code]
    lines = [json.loads(line) for line in service.shell(code).splitlines()]
    assert [line["type"] for line in lines] == ["batch", "test", "test", "end"]


def test_the_python_example_of_batches_prints_verdicts(service: Service) -> None:
    (code,) = fences("batch", "python")
    code = code.replace("$BASE", service.url).replace("$API_KEY", service.demo["api_key"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "0 accepted \n1 wrong_answer not the same words\nscore 0.5\n"


def test_the_usage_that_is_shown_has_the_fields_of_the_real_one(service: Service) -> None:
    assert service.usage().keys() == json.loads(fences("usage", "json")[0]).keys()
