"""Whatever the body is, the answer is a result or a refusal in the one shape: never a fault of ours."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# Hypothesis' wrapper hides that these tests are asynchronous, and so see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

# Half surrogate pairs and NUL included.
text = st.text(st.characters(), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=8,
)
paths = st.sampled_from(["a.py", "main.py", "x/y", "../x", "/x", "a//b", "-r", "", "x" * 300, "a\\b", "\ud800"]) | text

code = st.sampled_from(["", "print(input())", "1/0", "\0", "int main;", "print('\U0001f600')"]) | text
files = st.dictionaries(paths, text, max_size=3)
env = st.dictionaries(text, text, max_size=3)


def bodies(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Bodies that are nearly right, bodies with the right names, and any other JSON."""
    names = [*required, *optional, "other"]
    return st.one_of(
        st.fixed_dictionaries(required, optional=optional),
        st.fixed_dictionaries({}, optional=dict.fromkeys(names, json_values)),
        json_values,
    )


RUN_CODE_SYNC = bodies(
    {"compiler": st.sampled_from(["python-3.14", "python-3.14", "gcc-15", "python", "PYTHON-3.14", ""]), "code": code},
    {
        "input": text,
        "extra_params": st.dictionaries(text, json_values, max_size=2),
        "files": files,
        "entrypoint": paths,
        "args": st.lists(text, max_size=34),
        "env": env,
        "time_limit": st.just(0.2) | st.floats() | st.integers(),
        "memory_limit": st.integers(0, 600),
        "output_files": st.lists(paths | st.sampled_from(["*", "**", "[", "[a-"]), max_size=3),
        "extended": st.booleans(),
    },
)
# A file that is there comes first, so that some of the programs in `files` are run.
V1_EXECUTE = bodies(
    {"runtime": st.sampled_from(["python", "python", "python-3.14", "PYTHON", ""])},
    {
        "code": code,
        "files": st.just({"a.py": "print(1)"}) | files,
        "entrypoint": st.just("a.py") | paths,
        "stdin": text,
        "timeout": st.just(200) | st.floats() | st.integers(),
        "env": env,
    },
)
ENDPOINTS = pytest.mark.parametrize("path", ["/api/run-code-sync/", "/v1/execute"])


def check(response) -> None:
    assert response.status_code in (200, 400, 413, 415), response.text
    body = json.loads(response.content.decode("utf-8", "strict"))
    # No half surrogate pair comes back either: any client can write the answer down.
    json.dumps(body, ensure_ascii=False).encode()
    if response.status_code == 200:
        assert body.get("status") in ("success", "error") or list(body) == ["data"]
    else:
        assert list(body) == ["message", "code", "errors"]
        assert body["errors"]


quick = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(body=RUN_CODE_SYNC)
async def test_any_json(api, body):
    check(await api.request("POST", "/api/run-code-sync/", content=json.dumps(body).encode()))


@quick
@given(body=V1_EXECUTE)
async def test_any_json_for_v1_execute(api, body):
    check(await api.request("POST", "/v1/execute", content=json.dumps(body).encode()))


@ENDPOINTS
@quick
@given(
    body=st.binary(max_size=200), content_type=st.sampled_from(["application/json", "application/json; charset=x", ""])
)
async def test_any_bytes(api, path, body, content_type):
    response = await api.request("POST", path, content=body, headers={"Content-Type": content_type})
    assert response.status_code in (400, 415)
    assert list(response.json()) == ["message", "code", "errors"]


@quick
@given(
    headers=st.dictionaries(
        st.sampled_from(["X-Request-ID", "Origin", "X-Forwarded-For", "Accept", "Authorization"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=80),
    )
)
async def test_any_headers(api, headers):
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    response = await api.post({"compiler": "python-3.14"}, key="", headers=encoded)
    assert response.status_code in (401, 403)
    assert list(response.json()) == ["message", "code", "errors"]
