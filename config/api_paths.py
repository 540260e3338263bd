"""Which paths belong to programs and not to people: they get JSON errors and the short handler."""

from typing import Final

# First path segments. Everything below one is called without a session: with a key, a secret, or by a probe.
API_ROOTS: Final = frozenset(
    {"api", "contexts", "cus", "eval", "execute", "healthz", "lib", "mcp", "readyz", "v1", "widget.js"}
)

# Those whose clients show a refusal's body as it is.
PLAIN_ROOTS: Final = frozenset({"eval"})


def is_api(path: str) -> bool:
    """Whether this path (as in a URL, with its leading slash) is an API's."""
    return _root(path) in API_ROOTS


def refuses_in_words(path: str) -> bool:
    """Whether a refusal there is its sentence alone, as plain text."""
    return _root(path) in PLAIN_ROOTS


def _root(path: str) -> str:
    end = path.find("/", 1)
    return path[1:] if end < 0 else path[1:end]
