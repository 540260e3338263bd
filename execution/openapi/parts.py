"""What schemas and operations are put together from."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiParameter

Schema = dict[str, Any]

POSITIVE: Schema = {"type": "integer", "minimum": 1}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def closed(properties: dict[str, Schema], **keywords: Any) -> Schema:
    """An object that has all of these."""
    return {"type": "object", "properties": properties, "required": list(properties), **keywords}


def nullable(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    found = {**schema, "type": list(dict.fromkeys([*kinds, "null"]))}
    return {**found, "enum": [*schema["enum"], None]} if "enum" in schema else found


def text(description: str = "", **keywords: Any) -> Schema:
    return {"type": "string", **({"description": description} if description else {}), **keywords}


def whole(description: str = "", **keywords: Any) -> Schema:
    return {"type": "integer", **({"description": description} if description else {}), **keywords}


def moment(description: str) -> Schema:
    return text(description, format="date-time")


def query(name: str, description: str, schema: Schema) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description)


def in_path(name: str, description: str, schema: Schema) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.PATH, description=description)


def one_of(values: Iterable[str]) -> Schema:
    return {"type": "string", "enum": list(values)}
