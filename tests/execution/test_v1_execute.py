"""POST /v1/execute: seven runtimes, a program in `code` or in `files`, and what comes back of it."""

import asyncio
import json
from dataclasses import replace

import pytest
from django.conf import settings

from billing import subscriptions
from billing.plans import FREE
from billing.usage import ausage_of
from execution.catalogue import COMPILERS, installed
from execution.sandbox.job import MIB
from execution.v1_requests import RUNTIMES
from tests.execution.test_errors import check_shape
from tests.languages.table import LANGUAGES
from tests.server import Service

EXECUTE = "/v1/execute"
CODE = {"runtime": "python", "code": "print(1)"}


@pytest.fixture
def execute(api):
    """What a call that is accepted answers: Python's, unless another runtime is named."""

    async def execute(code=None, **fields):
        body = {"runtime": "python", **({} if code is None else {"code": code}), **fields}
        response = await post(api, body)
        assert response.status_code == 200, response.text
        assert list(response.json()) == ["data"]
        return response.json()["data"]

    return execute


async def post(api, body, *, headers=None, **options):
    """As this protocol's clients send it, with the key in X-API-Key."""
    return await api.request("POST", EXECUTE, key="", headers=headers or {"X-API-Key": api.key}, json=body, **options)


async def runs_of(person) -> int:
    return (await ausage_of(person.organisation.pk)).runs_used


# --- The runtimes ---


def _id(runtime: str) -> str:
    return runtime if RUNTIMES[runtime] in installed(settings.RUNCODE_HOME) else f"{runtime}-is-not-installed"


each_runtime = pytest.mark.parametrize("runtime", RUNTIMES, ids=_id)


async def shown(api, runtime, behaviour, **fields):
    """The answer of the language's program for a behaviour; None, with the refusal checked, where it can't run."""
    entrypoint, files = LANGUAGES[RUNTIMES[runtime]].files(behaviour)
    texts = {path: content.decode() for path, content in files.items()}
    program = {"files": texts, "entrypoint": entrypoint} if len(texts) > 1 else {"code": texts[entrypoint]}
    response = await post(api, {"runtime": runtime, **program, **fields})
    if RUNTIMES[runtime] not in installed(settings.RUNCODE_HOME):
        body = check_shape(response, 503, "toolchain_unavailable")
        assert COMPILERS[RUNTIMES[runtime]].name in body["message"]
        return None
    assert response.status_code == 200, response.text
    return response.json()["data"]


@each_runtime
async def test_it_runs_the_sample_of_a_runtime(api, runtime):
    if data := await shown(api, runtime, "hello"):
        assert data.pop("executionTime") > 0
        assert data == {"stdout": "Hello, World!\n", "stderr": "", "exitCode": 0, "timedOut": False}


@each_runtime
async def test_a_program_reads_its_stdin(api, runtime):
    if data := await shown(api, runtime, "echo", stdin="né\n漢😀\n"):
        assert (data["stdout"], data["exitCode"]) == ("né\n漢😀\n", 0)


@each_runtime
async def test_a_program_of_several_files_is_started_at_its_entrypoint(api, runtime):
    if data := await shown(api, runtime, "several"):
        assert (data["stdout"], data["exitCode"]) == ("HI\n", 0)


@each_runtime
async def test_a_variable_reaches_the_program_as_it_was_sent(api, runtime):
    if data := await shown(api, runtime, "environment", env={"GREETING": "$HOME 'é' \\n"}):
        assert data["stdout"] == "$HOME 'é' \\n\n"


@each_runtime
async def test_a_program_ends_as_it_chooses(api, runtime):
    if data := await shown(api, runtime, "exit"):
        assert (data["exitCode"], data["timedOut"]) == (3, False)


@each_runtime
async def test_a_program_that_breaks_says_so_on_stderr(api, runtime):
    if data := await shown(api, runtime, "runtime_error"):
        assert data["exitCode"] != 0
        assert data["stderr"]


@pytest.mark.parametrize("runtime", ["go", "rust"], ids=_id)
async def test_a_compile_error_has_the_compilers_messages_and_exit_code(api, runtime):
    if data := await shown(api, runtime, "compile_error"):
        assert LANGUAGES[RUNTIMES[runtime]].table["expected"]["compile_error"] in data["stderr"]
        assert (data["stdout"], data["executionTime"], data["timedOut"]) == ("", 0, False)
        # Which of its codes a compiler ends with is its own affair.
        assert data["exitCode"] in (1, 2)


@each_runtime
async def test_a_runtime_whose_toolchain_is_missing_is_503_and_not_counted(api, cast, settings, tmp_path, runtime):
    (tmp_path / "toolchains" / "compilers").mkdir(parents=True)
    settings.RUNCODE_HOME = tmp_path
    body = check_shape(await post(api, {**CODE, "runtime": runtime}), 503, "toolchain_unavailable")
    assert COMPILERS[RUNTIMES[runtime]].name in body["message"]
    assert await runs_of(cast.alice) == 0


# --- What comes back ---


def test_the_documented_line_answers(service: Service):
    line = """
curl -X POST $BASE/v1/execute -H "X-API-Key: $API_KEY" -H "Content-Type: application/json" \
  -d '{"runtime": "python", "files": {"main.py": "from shout import up\\nprint(up(\\"hi\\"))", """
    line += """"shout.py": "def up(s):\\n    return s.upper()"}, "entrypoint": "main.py"}'"""
    data = json.loads(service.shell(line))["data"]
    assert data.pop("executionTime") > 0
    assert data == {"stdout": "HI\n", "stderr": "", "exitCode": 0, "timedOut": False}


async def test_times_are_whole_milliseconds_of_the_program(execute):
    data = await execute("import time; time.sleep(0.25)")
    assert type(data["executionTime"]) is int
    assert data["executionTime"] >= 250


async def test_a_program_past_its_timeout_is_timed_out_with_what_it_printed(execute):
    data = await execute("print('before', flush=True)\nwhile True: pass", timeout=400)
    assert (data["stdout"], data["exitCode"], data["timedOut"]) == ("before\n", 124, True)
    assert data["executionTime"] >= 400


async def test_a_program_that_ends_with_124_is_not_timed_out(execute):
    data = await execute("exit(124)")
    assert (data["exitCode"], data["timedOut"]) == (124, False)


async def test_a_timeout_never_raises_the_plans(execute, monkeypatch):
    short = replace(FREE, limits=replace(FREE.limits, wall_seconds=0.4))
    monkeypatch.setattr(subscriptions, "look_up", lambda _organisation_id: subscriptions.Standing(plan=short))
    for fields in ({"timeout": 10**9}, {"timeout": 30_000}, {}):
        data = await execute("import time\ntime.sleep(20)", **fields)
        assert (data["exitCode"], data["timedOut"]) == (124, True)


async def test_the_whole_output_comes_back(execute):
    data = await execute(f"import sys\nprint('é' * {MIB // 2}, end='')\nsys.stderr.write('e' * {MIB})")
    assert data["stdout"] == "é" * (MIB // 2)
    assert data["stderr"] == "e" * MIB
    assert data["exitCode"] == 0


async def test_more_than_a_megabyte_ends_the_program_and_its_beginning_is_kept(execute):
    # Three bytes a character, which do not go into a megabyte: the one that was cut is left out.
    data = await execute("print('漢' * 2_000_000)")
    assert data["stdout"] == "漢" * (MIB // 3)
    assert (data["exitCode"], data["timedOut"]) == (137, False)


async def test_bytes_that_are_not_utf8_become_replacement_characters(execute):
    data = await execute(r"import sys; sys.stdout.buffer.write(b'a\xff\xf0\x9f\x98b\0c\xe6')")
    assert data["stdout"] == "a\ufffd\ufffdb\0c\ufffd"


async def test_too_much_memory_is_137(execute):
    data = await execute("x = bytearray(2 * 1024 ** 3)\nfor i in range(0, len(x), 4096): x[i] = 1")
    assert (data["exitCode"], data["timedOut"]) == (137, False)


async def test_environment_is_taken_literally(execute):
    env = {"GREETING": "a=b\n'\"$HOME`id`é", "LD_PRELOAD": "/nowhere.so", "PATH": "/elsewhere"}
    data = await execute("import os\nprint([os.environ[name] for name in ('GREETING', 'LD_PRELOAD', 'PATH')])", env=env)
    assert data["stdout"] == f"{list(env.values())}\n"


async def test_code_stands_under_the_name_of_its_entrypoint(execute):
    code = "import os, sys\nprint(os.path.basename(sys.argv[0]))"
    assert (await execute(code))["stdout"] == "main.py\n"
    assert (await execute(code, entrypoint="app/run.py"))["stdout"] == "run.py\n"


async def test_nothing_survives_the_call(execute):
    await execute("open('left.txt', 'w').write('secret'); open('/tmp/left.txt', 'w').write('secret')")
    data = await execute("import os\nprint(os.listdir('/tmp'), os.path.exists('left.txt'))")
    assert data["stdout"] == "[] False\n"


async def test_there_is_no_network(execute):
    data = await execute("import socket\nsocket.create_connection(('192.0.2.1', 80), 2)")
    assert data["exitCode"] == 1
    assert "OSError" in data["stderr"]


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/"])
async def test_it_answers_with_and_without_the_final_slash(api, path):
    response = await api.request("POST", path, json=CODE)
    assert (response.status_code, response.json()["data"]["stdout"]) == (200, "1\n")


# --- Who may call, and how often ---


@pytest.mark.parametrize("header", ["X-API-Key: {}", "Authorization: {}", "Authorization: Bearer {}"])
async def test_a_key_is_taken_in_each_documented_header(api, header):
    name, _, value = header.format(api.key).partition(": ")
    assert (await post(api, CODE, headers={name: value})).status_code == 200


@pytest.mark.parametrize(("key", "code"), [("", "key_missing"), ("rk_abcdefgh_" + "x" * 40, "key_unknown")])
async def test_a_stranger_is_401_whatever_the_body(api, cast, key, code):
    for body in (CODE, []):
        check_shape(await post(api, body, headers={"X-API-Key": key}), 401, code)
    assert await runs_of(cast.alice) == 0


async def test_it_refuses_a_widget_key(api, cast):
    response = await post(api, CODE, headers={"X-API-Key": cast.alice.websocket_key})
    check_shape(response, 403, "wrong_key_kind")


async def test_a_session_is_no_key(api, cast):
    cookies = await asyncio.to_thread(lambda: cast.alice.client.cookies)
    header = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
    check_shape(await post(api, CODE, headers={"Cookie": header}), 401, "key_missing")


async def test_a_run_counts_once_for_the_keys_organisation_alone(api, cast):
    response = await post(api, CODE)
    assert '"runs";r=' in response.headers["RateLimit"]
    assert '"runs";q=' in response.headers["RateLimit-Policy"]
    assert (await runs_of(cast.alice), await runs_of(cast.charlie)) == (1, 0)
    assert (await post(api, CODE, headers={"X-API-Key": cast.charlie.api_key})).status_code == 200
    assert (await runs_of(cast.alice), await runs_of(cast.charlie)) == (1, 1)


async def test_the_fifth_call_at_once_is_refused_at_once(api):
    slow = {**CODE, "code": "import time; time.sleep(2)\nprint('done')"}
    calls = [asyncio.create_task(post(api, slow)) for _ in range(5)]
    (refused,), running = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    check_shape(refused.result(), 429, "concurrency_limit")
    assert int(refused.result().headers["Retry-After"]) >= 1
    answers = await asyncio.gather(*running)
    assert [answer.json()["data"]["stdout"] for answer in answers] == ["done\n"] * 4


# --- What is refused ---


async def test_no_refusal_is_counted(api, cast):
    for body in ({}, {**CODE, "code": 1}, {**CODE, "files": {}}, {**CODE, "runtime": "cobol"}, []):
        check_shape(await post(api, body), 400, "invalid")
    assert await runs_of(cast.alice) == 0


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "..", "a//b", "a\\..\\b", "-x", ""])
async def test_a_path_out_of_the_work_directory_is_400_and_named(api, path):
    body = {"runtime": "python", "files": {"main.py": "print(1)", path: "x"}, "entrypoint": "main.py"}
    errors = check_shape(await post(api, body), 400, "invalid")["errors"]
    assert [error["field"] for error in errors] == [f"files.{path}"]
    body = {"runtime": "python", "files": {"main.py": "print(1)"}, "entrypoint": path}
    errors = check_shape(await post(api, body), 400, "invalid")["errors"]
    assert [error["field"] for error in errors] == ["entrypoint"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_other_methods_are_405(api, method):
    check_shape(await api.request(method, EXECUTE), 405, "method_not_allowed")


async def test_a_form_is_415(api):
    response = await api.request("POST", EXECUTE, data={"code": "print(1)"})
    check_shape(response, 415, "unsupported_media_type")


async def test_an_address_beside_it_is_404_in_the_error_shape(api):
    for path in ("/v1", "/v1/", "/v1/execute/x", "/v1/other"):
        check_shape(await api.request("POST", path, json=CODE), 404, "not_found")
