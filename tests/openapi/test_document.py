"""The OpenAPI document: complete, valid, and true to what the code says."""

import json
import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from config.api_paths import API_ROOTS
from execution.callbacks.creation import message_of
from execution.models import Run
from execution.models.packing import pack
from execution.models.results import columns_of
from execution.openapi.document import document
from execution.openapi.operations import OPERATIONS
from execution.openapi.refusals import REFUSALS
from tests.cast import Cast
from tests.execution.models.test_results import RESULT

# The document itself; files for browsers; and the other protocols, which describe themselves.
# `eval` is the ReplitClient protocol's: a form, and refusals in plain text.
NOT_REST = {"openapi_json", "openapi_yaml", "widget_js", "api_js", "eval"}

# Codes that only messages of connections and entries of batches carry.
ELSEWHERE = {
    "checker_failed": 400,
    "not_running": 400,
    "stopped": 400,
    "foreign_key": 403,
    "token_invalid": 401,
    "token_expired": 401,
}


def named_patterns(resolver: URLResolver, prefix: str = "") -> list[tuple[str, URLPattern]]:
    found = []
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern).removeprefix("^")
        if isinstance(entry, URLResolver):
            found += named_patterns(entry, route)
        else:
            found.append((route, entry))
    return found


def test_every_endpoint_for_programs_stands_in_it() -> None:
    described = {operation.url for operation in OPERATIONS}
    endpoints = {
        pattern.name
        for route, pattern in named_patterns(get_resolver())
        if re.split(r"[/$?]", route, maxsplit=1)[0] in API_ROOTS
    }
    assert "run_code_sync" in endpoints
    assert endpoints - NOT_REST == described


def test_it_is_a_valid_document_of_openapi_31() -> None:
    assert document()["openapi"] == "3.1.0"
    validate_schema(document())


def test_every_schema_is_one_and_every_reference_leads_somewhere() -> None:
    text = json.dumps(document())
    names = set(document()["components"]["schemas"])
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= names
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_operation_tells_all_that_a_reader_needs() -> None:
    ids = [operation["operationId"] for methods in document()["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids)) == len(OPERATIONS)
    for path, methods in document()["paths"].items():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["description"]
            assert "500" in operation["responses"], path
            assert all(response["description"] for response in operation["responses"].values())
            assert all(parameter["description"] for parameter in operation.get("parameters", ()))


def validator(schema: dict) -> Draft202012Validator:
    return Draft202012Validator({"components": document()["components"], **schema})


def contents() -> list:
    found = []
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            parts = {"body": operation.get("requestBody"), **operation["responses"]}
            for name, part in parts.items():
                for media in (part or {}).get("content", {}).values():
                    found.append(pytest.param(media, id=f"{method} {path} {name}"))
    return found


@pytest.mark.parametrize("media", contents())
def test_every_body_has_examples_that_fit_their_schema(media: dict) -> None:
    assert media["examples"]
    for example in media["examples"].values():
        validator(media["schema"]).validate(example["value"])


@pytest.mark.parametrize("name", [name for name in document()["components"]["schemas"] if name.endswith("Request")])
def test_every_field_of_a_body_is_described(name: str) -> None:
    fields = document()["components"]["schemas"][name]["properties"]
    assert [field for field, schema in fields.items() if not schema.get("description")] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "columns",
    [columns_of(RESULT), {"refusal_code": "run_quota", "refusal": "All runs are used."}],
    ids=["a result", "a refusal"],
)
@pytest.mark.parametrize("extended", [True, False])
def test_what_is_sent_to_a_redirect_url_fits_its_schema(cast: Cast, columns: dict, extended: bool) -> None:
    run = cast.alice.organisation.runs.create(
        key_id=1,
        key_kind="api",
        surface=Run.Surface.ASYNC,
        compiler="gcc-15",
        request=pack({"extended": extended, "output_files": ["a.bin"]}),
        **columns,
    )
    (webhook,) = document()["webhooks"].values()
    media = webhook["post"]["requestBody"]["content"]["application/json"]
    for message in (message_of(run), *(example["value"] for example in media["examples"].values())):
        validator(media["schema"]).validate(message)


def test_every_error_code_of_the_http_api_stands_in_it_with_its_status() -> None:
    page = Path(settings.BASE_DIR, "docs", "errors.md").read_text(encoding="utf-8")
    documented = {code: int(status) for status, code in re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.MULTILINE)}
    assert {code: documented.pop(code) for code in ELSEWHERE} == ELSEWHERE
    assert documented == {code: status for code, (status, _, _) in REFUSALS.items()}


@pytest.mark.django_db
def test_it_is_served_as_json_and_as_yaml(client: Client) -> None:
    assert client.get("/api/openapi.json").json() == document()
    assert yaml.safe_load(client.get("/api/openapi.yaml").content) == document()


# --- The page ---


@pytest.mark.django_db
def test_the_reference_shows_every_endpoint_every_object_and_leads_there(client: Client) -> None:
    page = client.get("/docs/api/").content.decode()
    anchors = set(re.findall(r' id="([\w-]+)"', page))
    for operation in OPERATIONS:
        assert f"operation-{operation.id}" in anchors
    for name in document()["components"]["schemas"]:
        assert f"object-{name}" in anchors
    assert set(re.findall(r'href="#((?:operation|object)-[\w-]+)"', page)) <= anchors
