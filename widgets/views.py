"""`/widget.js`, the one file of the embeddable editor with a fixed address. It is small, and loads the rest from
`/static/widget/`, whose names change with their content. Made from `widgets/frontend/` by `make frontend`."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import etag, require_safe

_LOADER: Final = Path(settings.BASE_DIR) / "static" / "widget" / "widget.js"

# A new version reaches every page within minutes; until then the old one's files are still there.
_HEADERS: Final = {
    "Cache-Control": "public, max-age=300, stale-while-revalidate=86400",
    # For pages that are isolated from other origins (Cross-Origin-Embedder-Policy).
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@cache
def _loader() -> tuple[bytes, str]:
    """The file, and its entity tag."""
    content = _LOADER.read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:16]}"'


@require_safe
@etag(lambda _request: _loader()[1])
async def widget_js(_request: HttpRequest) -> HttpResponse:
    """`GET /widget.js`: a classic script, for any page of any origin."""
    return HttpResponse(_loader()[0], content_type="text/javascript; charset=utf-8", headers=_HEADERS)
