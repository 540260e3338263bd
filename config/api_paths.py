"""Which paths belong to programs and not to people: they get JSON errors and the short handler."""

from typing import Final

# First path segments. Everything below one is called without a session: with a key, a secret, or by a probe.
API_ROOTS: Final = frozenset(
    {"api", "contexts", "cus", "execute", "healthz", "lib", "mcp", "readyz", "v1", "widget.js"}
)


def is_api(path: str) -> bool:
    """Whether this path (as in a URL, with its leading slash) is an API's."""
    end = path.find("/", 1)
    return (path[1:] if end < 0 else path[1:end]) in API_ROOTS
