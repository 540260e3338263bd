"""The document over HTTP, for tools: as JSON and as YAML. No key is needed."""

import json
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import OpenApiYamlRenderer

from execution.openapi.document import document

_HEADERS = {"Cache-Control": "public, max-age=300"}


@require_safe
def openapi_json(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(_as_json(), content_type="application/json", headers=_HEADERS)


@require_safe
def openapi_yaml(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(_as_yaml(), content_type="application/yaml", headers=_HEADERS)


@lru_cache(maxsize=1)
def _as_json() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


@lru_cache(maxsize=1)
def _as_yaml() -> bytes:
    renderer: Any = OpenApiYamlRenderer()
    rendered: bytes = renderer.render(document())
    return rendered
