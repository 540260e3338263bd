"""`POST /eval` of the running service: what it evaluates, and how it refuses."""

import json
from collections.abc import Callable

import httpx
import pytest

from execution.repl.languages import LANGUAGES
from tests.server import Service

Token = Callable[..., str]

VALUES = {
    "python3": ("print('hi')\n2 ** 10", "hi\n", "1024"),
    "python": ("x = 6 * 7", "", ""),
    "ruby": ("puts 'hi'\nx = 6 * 7", "hi\n", "42"),
    "php": ("echo 'hi'; 6 * 7", "hi", "42"),
    "nodejs": ("console.log('hi'); await Promise.resolve(6 * 7)", "hi\n", "42"),
}


def post(service: Service, token: str, language: str, code: str, path: str = "/eval") -> httpx.Response:
    return httpx.post(
        service.url + path, data={"auth": token, "language": language, "code": code}, timeout=60, trust_env=False
    )


def evaluated(service: Service, token: str, language: str, code: str) -> list[dict[str, str]]:
    answer = post(service, token, language, code)
    assert answer.status_code == 200, answer.text
    messages: list[dict[str, str]] = answer.json()
    return messages


@pytest.mark.parametrize("language", VALUES)
def test_a_console_s_value_and_output(service: Service, token: Token, language: str) -> None:
    code, output, value = VALUES[language]
    outputs = [{"command": "output", "data": output}] if output else []
    assert evaluated(service, token(), language, code) == [*outputs, {"command": "result", "data": value}]


@pytest.mark.parametrize("name", [name for name, language in LANGUAGES.items() if language.kernel is None])
def test_a_program_of_its_own(service: Service, token: Token, name: str) -> None:
    messages = evaluated(service, token(), name, LANGUAGES[name].compiler.sample)
    assert messages == [{"command": "output", "data": "Hello, World!\n"}, {"command": "result", "data": ""}]


def test_an_error_is_the_traceback(service: Service, token: Token) -> None:
    (result,) = evaluated(service, token(), "python3", "def f():\n    return 1 / 0\nf()")
    assert result["data"] == ""
    assert result["error"].startswith("Traceback (most recent call last):\n")
    assert result["error"].endswith("ZeroDivisionError: division by zero")
    assert "kernel.py" not in result["error"]


def test_what_a_program_says_as_it_fails_is_its_error(service: Service, token: Token) -> None:
    code = '#include <stdio.h>\nint main(void) { puts("out"); fputs("why\\n", stderr); return %d; }'
    output = {"command": "output", "data": "out\n"}
    assert evaluated(service, token(), "c", code % 3) == [output, {"command": "result", "data": "", "error": "why\n"}]
    both = {"command": "output", "data": "out\nwhy\n"}
    assert evaluated(service, token(), "c", code % 0) == [both, {"command": "result", "data": ""}]
    (result,) = evaluated(service, token(), "c", "int main(void) { return x; }")
    assert "undeclared" in result["error"]


def test_each_state_is_fresh_and_each_counts_a_run(service: Service, token: Token) -> None:
    before = service.usage()["runs_used"]
    assert "error" not in evaluated(service, token(), "ruby", "x = 1")[-1]
    assert "NameError" in evaluated(service, token(), "ruby", "x")[-1]["error"]
    assert service.usage()["runs_used"] == before + 2


def test_input_has_its_end_at_once(service: Service, token: Token) -> None:
    assert "EOFError" in evaluated(service, token(), "python3", "input()")[-1]["error"]
    assert evaluated(service, token(), "ruby", "gets")[-1]["data"] == "nil"
    assert evaluated(service, token(), "php", "fgets(STDIN)")[-1]["data"] == "false"


def test_the_client_s_own_content_type_and_the_slash(service: Service, token: Token) -> None:
    made = token()
    body = f"auth={made.replace('+', '%2B').replace('=', '%3D')}&language=python3&code=1%20%2B%201"
    headers = {"Content-Type": "application/x-www-form-urlencoded; param=value", "Origin": "https://example.org"}
    answer = httpx.post(f"{service.url}/eval/", content=body, headers=headers, timeout=60, trust_env=False)
    assert (answer.status_code, answer.json()) == (200, [{"command": "result", "data": "2"}])
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_documented_line(service: Service, token: Token) -> None:
    line = 'curl -X POST $BASE/eval --data-urlencode "auth=$TOKEN" -d language=python3 --data-urlencode "code=2 ** 10"'
    assert json.loads(service.shell(f"TOKEN='{token()}'; curl() {{ command curl -sS \"$@\"; }}; {line}")) == [
        {"command": "result", "data": "1024"}
    ]


def test_refusals_are_plain_text_that_any_page_may_read(service: Service, token: Token) -> None:
    day = 24 * 3600 * 1000
    cases = {
        post(service, "nonsense", "python3", "1"): 401,
        post(service, token(age_ms=5 * day + 1000), "python3", "1"): 401,
        post(service, token(age_ms=-120_000), "python3", "1"): 401,
        post(service, token(), "cobol", "1"): 400,
        post(service, token(), "python3", "#" * 102_401): 400,
        httpx.post(f"{service.url}/eval", data={"auth": token()}, trust_env=False): 400,
        httpx.post(f"{service.url}/eval", content=b"\xff=%ff&x", trust_env=False): 400,
        httpx.get(f"{service.url}/eval", trust_env=False): 405,
        httpx.get(f"{service.url}/eval/nothing", trust_env=False): 404,
        httpx.post(f"{service.url}/eval", content=b"a" * 4_300_000, trust_env=False): 413,
    }
    for answer, status in cases.items():
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.text
        assert not answer.text.startswith("{")


def test_options_are_told(service: Service) -> None:
    answer = httpx.options(f"{service.url}/eval", trust_env=False)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
