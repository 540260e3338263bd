"""The OpenAPI document for people: every endpoint and every object, as HTML below docs/api.md."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from execution.openapi.document import document
from execution.pages_markdown import figure, inline

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A row of a table. `kind` and `about` are HTML; `note` says whether it may be missing, where that is not plain."""

    name: str
    kind: SafeString
    note: str
    about: SafeString


@dataclass(frozen=True, slots=True)
class Response:
    """`body` is the name of what is in it, as HTML; `codes` are the error codes that it may have."""

    status: str
    about: SafeString
    body: SafeString
    codes: tuple[str, ...]
    example: SafeString


@dataclass(frozen=True, slots=True)
class Endpoint:
    anchor: str
    method: str
    path: str
    summary: str
    about: SafeString
    keyed: bool
    parameters: tuple[Field, ...]
    body: SafeString
    example: SafeString
    answers: tuple[Response, ...]
    refusals: tuple[Response, ...]


@dataclass(frozen=True, slots=True)
class Component:
    anchor: str
    name: str
    fields: tuple[Field, ...]


@lru_cache(maxsize=1)
def reference() -> str:
    """The HTML. Made once: the document does not change while a process lives."""
    tags: dict[str, list[Endpoint]] = {}
    for endpoint, tag in _endpoints():
        tags.setdefault(tag, []).append(endpoint)
    components = [
        Component(f"object-{name}", name, tuple(_fields(name, schema)))
        for name, schema in document()["components"]["schemas"].items()
    ]
    return render_to_string("docs/tables/endpoints.html", {"tags": tags, "components": components})


def _endpoints() -> Iterator[tuple[Endpoint, str]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            responses = [_response(status, each) for status, each in operation["responses"].items()]
            endpoint = Endpoint(
                anchor=f"operation-{operation['operationId']}",
                method=method.upper(),
                path=path,
                summary=operation["summary"],
                about=inline(operation["description"]),
                keyed=bool(operation.get("security", [{}])[0]),
                parameters=tuple(_parameter(each) for each in operation.get("parameters", ())),
                body=_kind(content["schema"]) if content else mark_safe(""),
                example=_example(content),
                answers=tuple(each for each in responses if not each.codes),
                refusals=tuple(each for each in responses if each.codes),
            )
            yield endpoint, operation["tags"][0]


def _parameter(parameter: Schema) -> Field:
    place = {"path": "in the address", "query": "query", "header": "header"}[parameter["in"]]
    kind = mark_safe(f"{_kind(parameter['schema'])}, {place}")  # noqa: S308 - escaped in _kind
    return Field(parameter["name"], kind, "", inline(parameter.get("description", "")))


def _response(status: str, response: Schema) -> Response:
    content = response.get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    codes = tuple(schema["allOf"][1]["properties"]["code"]["enum"]) if "allOf" in schema else ()
    return Response(
        status=f"{status} {HTTPStatus(int(status)).phrase}",
        about=inline(response["description"]),
        body=_kind(schema) if schema and not codes else mark_safe(""),
        codes=codes,
        example=_example(content) if not codes else mark_safe(""),
    )


def _example(content: Schema) -> SafeString:
    for example in content.get("examples", {}).values():
        if isinstance(value := example["value"], str):
            return figure(value, "text")
        return figure(json.dumps(value, indent=2, ensure_ascii=False), "json")
    return mark_safe("")


def _fields(component: str, schema: Schema) -> Iterator[Field]:
    properties, required = schema.get("properties", {}), schema.get("required", ())
    for name, each in properties.items():
        # Bodies are mostly optional fields, and answers mostly fields that are always there.
        if component.endswith("Request"):
            note = "required" if name in required else ""
        else:
            note = "" if name in required else "on request"
        yield Field(name, _kind(each), note, inline(each.get("description", "")))


def _kind(schema: Schema) -> SafeString:
    """The type of a value in words, as HTML; objects with a name are links."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return mark_safe(f'<a href="#object-{name}">{name}</a>')  # noqa: S308 - a name of ours
    if "anyOf" in schema:
        return mark_safe(" or ".join(_kind(each) for each in schema["anyOf"]))  # noqa: S308 - escaped below
    if "type" not in schema:
        return mark_safe("anything")
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    words = " or ".join(_word(kind, schema) for kind in kinds)
    return mark_safe(words + _bounds(schema))  # noqa: S308 - escaped below


def _word(kind: str, schema: Schema) -> str:
    if kind == "array":
        return f"array of {_kind(schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_kind(schema['additionalProperties'])}"
    if kind == "object" and "properties" in schema:
        return inline("object with " + ", ".join(f"`{name}`" for name in schema["properties"]))
    if kind == "string" and schema.get("format") in ("date-time", "date", "uri"):
        return {"date-time": "time", "date": "date or time", "uri": "address"}[schema["format"]]
    if kind == "string" and schema.get("contentEncoding"):
        return "base64"
    return kind


def _bounds(schema: Schema) -> str:
    if "enum" in schema:
        return inline(": " + ", ".join(f"`{value}`" for value in schema["enum"] if value is not None))
    if "minimum" in schema and "maximum" in schema:
        return f", {schema['minimum']}–{schema['maximum']:,}"
    for keyword, unit in (("maxItems", "items"), ("maxProperties", "entries")):
        if keyword in schema:
            return f", up to {schema[keyword]:,} {unit}"
    return ""
