"""The document itself. drf-spectacular finds views that are classes; ours are functions, so each operation of the table
becomes a class that has its method and its description and nothing else."""

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.urls import URLPattern, URLResolver
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import patched_settings
from drf_spectacular.utils import extend_schema
from rest_framework.views import APIView

from execution.openapi.operation import Operation
from execution.openapi.operations import OPERATIONS, SCHEMAS, WEBHOOKS

_DESCRIPTION: Final = """Runs programs in many languages, each in a sandbox of its own.

Addresses work with and without the final slash. Bodies are JSON in UTF-8; fields that are not known are passed over.
Every refusal has the body `Error`."""

_HEADER: Final = {"type": "apiKey", "in": "header"}

Patterns = Sequence[URLPattern | URLResolver]

_generating = threading.Lock()


def document() -> dict[str, Any]:
    """The OpenAPI document of this installation. Made once; not to be changed."""
    with _generating:
        return _document()


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    with patched_settings(_settings()):
        generator: Any = _Generator
        made: dict[str, Any] = generator().get_schema(public=True)
    return made


def _settings() -> dict[str, Any]:
    return {
        "OAS_VERSION": "3.1.0",
        "TITLE": "Runcode",
        "DESCRIPTION": _DESCRIPTION,
        "VERSION": "1",
        "EXTERNAL_DOCS": {"url": f"{settings.PUBLIC_URL}/docs/", "description": "Documentation"},
        "SERVERS": [{"url": settings.PUBLIC_URL}],
        "TAGS": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in OPERATIONS)],
        "WEBHOOKS": list(WEBHOOKS),
        "APPEND_COMPONENTS": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
                "authorization": {**_HEADER, "name": "Authorization", "description": "An API key, alone."},
                "x-api-key": {**_HEADER, "name": "X-API-Key", "description": "An API key."},
            },
        },
        "POSTPROCESSING_HOOKS": [],
        "SORT_OPERATIONS": False,
        "SORT_OPERATION_PARAMETERS": False,
        "SCHEMA_PATH_PREFIX": "/",
    }


class _Enumerator(EndpointEnumerator):
    """Finds the URL patterns that the table names, wherever they stand."""

    patterns: Patterns
    get_path_from_regex: Callable[[str], str]

    def _get_api_endpoints(
        self, patterns: Patterns | None, prefix: str
    ) -> list[tuple[str, str, str, Callable[..., Any]]]:
        found = {
            name: (path, regex)
            for name, path, regex in self._named(self.patterns if patterns is None else patterns, prefix)
        }
        return [
            (_canonical(found[each.url][0]), found[each.url][1], each.method.upper(), _view(each))
            for each in OPERATIONS
        ]

    def _named(self, patterns: Patterns, prefix: str) -> list[tuple[str, str, str]]:
        named = []
        for pattern in patterns:
            regex = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                named += self._named(pattern.url_patterns, regex)
            elif pattern.name:
                named.append((pattern.name, self.get_path_from_regex(regex), regex))
        return named


def _canonical(path: str) -> str:
    """As the contract writes it: with the final slash below /api/, without it elsewhere."""
    return path.rstrip("/") + ("/" if path.startswith("/api/") else "")


class _Generator(SchemaGenerator):
    endpoint_inspector_cls = _Enumerator


def _view(operation: Operation) -> Callable[..., Any]:
    """Something that drf-spectacular takes for a view function of Django REST framework."""

    def method(self: APIView, *_args: Any, **_kwargs: Any) -> None:
        """Never called."""

    described = extend_schema(**operation.spectacular())(method)
    body = {"schema": AutoSchema(), operation.method: described, "__doc__": ""}
    view: Any = lambda: None  # noqa: E731 - only its attributes are looked at
    view.cls, view.initkwargs = type(f"Described_{operation.id}", (APIView,), body), {}
    return view  # type: ignore[no-any-return]
