"""The files with a fixed address that other people's pages load, made by `make frontend`: `/widget.js`, the embeddable
editor, small, which loads the rest from `/static/widget/`; `/lib/api.js`, the client of the ReplitClient protocol."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import etag, require_safe

_STATIC: Final = Path(settings.BASE_DIR) / "static"
_LOADER, _CLIENT = "widget/widget.js", "lib/api.js"

# A new version reaches every page within minutes; until then the old one's files are still there.
_HEADERS: Final = {
    "Cache-Control": "public, max-age=300, stale-while-revalidate=86400",
    # For pages that are isolated from other origins (Cross-Origin-Embedder-Policy).
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@cache
def _file(name: str) -> tuple[bytes, str]:
    """The file, and its entity tag."""
    content = (_STATIC / name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:16]}"'


@require_safe
@etag(lambda _request: _file(_LOADER)[1])
async def widget_js(_request: HttpRequest) -> HttpResponse:
    """`GET /widget.js`: a classic script, for any page of any origin."""
    return _script(_LOADER)


@require_safe
@etag(lambda _request: _file(_CLIENT)[1])
async def api_js(_request: HttpRequest) -> HttpResponse:
    """`GET /lib/api.js`: a classic script that makes the global `ReplitClient`, for any page of any origin."""
    return _script(_CLIENT)


def _script(name: str) -> HttpResponse:
    return HttpResponse(_file(name)[0], content_type="text/javascript; charset=utf-8", headers=_HEADERS)
