"""How large a request's body may be: larger than usual only where files are sent, and only from those who are known."""

import re
from collections.abc import Mapping
from typing import Any, Final

from accounts.authentication import authenticate
from accounts.client_ip import client_ip
from config.errors import ApiError
from execution.realtime.asgi import headers_of
from execution.sandbox.context_files import MOST_FILE_BYTES

# Above what a request within all field limits needs even when most of it is JSON escapes.
BODY_LIMIT: Final = 4 * 1024 * 1024

_FILE: Final = re.compile(r"/contexts/[^/]+/files/.")


async def body_limit(scope: Mapping[str, Any]) -> int:
    """In bytes, for the request of an ASGI scope, before its body is read. A stranger's megabytes are not waited for:
    the view says whose key is missing."""
    if scope["method"] != "PUT" or not _FILE.match(scope["path"]):
        return BODY_LIMIT
    headers = headers_of(scope)
    try:
        await authenticate(headers=headers, client_ip=client_ip(scope), origin=headers.get("origin"), kind="api")
    except ApiError:
        return BODY_LIMIT
    return MOST_FILE_BYTES
