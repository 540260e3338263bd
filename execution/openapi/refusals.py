"""Every error code of the HTTP API: its status, and what an answer with it says. docs/errors.md tells what to do."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from execution.openapi.parts import Schema, ref

_INVALID: Final = [{"field": "time_limit", "error": "Must be a number of seconds."}]

# code: (status, message, errors)
REFUSALS: Final[dict[str, tuple[int, str, list[dict[str, str]]]]] = {
    "invalid": (400, "time_limit: Must be a number of seconds.", _INVALID),
    "key_missing": (401, "Send your key in the Authorization or the X-API-Key header.", []),
    "key_unknown": (401, "This is no key of this service. Copy it again from your dashboard.", []),
    "key_expired": (401, "This key has expired. Make a new one in your dashboard.", []),
    "key_revoked": (401, "This key was revoked. Make a new one in your dashboard.", []),
    "wrong_key_kind": (403, "This is a WebSocket key, for widgets and Socket.IO. Use an API key here.", []),
    "foreign_address": (403, "This key may not be used from 203.0.113.7.", []),
    "foreign_origin": (403, "This key may not be used from this page.", []),
    "forbidden": (403, "This is not allowed.", []),
    "not_found": (404, "There is nothing at this address.", []),
    "method_not_allowed": (405, "This address takes POST, not GET.", []),
    "body_too_slow": (408, "The body did not arrive within 30 seconds.", []),
    "idempotency_conflict": (409, "This Idempotency-Key was used for another request.", []),
    "idempotency_in_progress": (409, "The first request with this Idempotency-Key is still being carried out.", []),
    "context_ended": (409, "The context has ended; its state is lost.", []),
    "file_refused": (409, "There is no room for it in the work dir.", []),
    "callbacks_paused": (409, "The callbacks of this key are paused. Resume them on the API keys page.", []),
    "not_kept": (409, "The result was delivered, and your organisation keeps no outputs.", []),
    "body_too_large": (413, "The body is larger than 4 MB.", []),
    "unsupported_media_type": (415, "The body must be JSON, not text/plain.", []),
    "concurrency_limit": (429, "This key runs 4 programs already, the most at once on the Free plan.", []),
    "rate_limit": (429, "Too many runs in too short a time. Wait 1 s, then send this again.", []),
    "run_quota": (429, "All 5,000 runs of the Free plan are used.", []),
    "context_limit": (429, "Your organisation has as many contexts as its plan holds.", []),
    "context_busy": (429, "Too many cells wait in this context already.", []),
    "queue_full": (429, "10,000 runs wait already, the most at once.", []),
    "internal_error": (500, "Something broke on our side.", []),
    "toolchain_unavailable": (503, "Haskell (GHC 9.12) is not installed here.", []),
    "sandbox_unavailable": (503, "The program could not be run right now; this is not counted.", []),
    "unavailable": (503, "Whether this run is within the limits cannot be checked right now.", []),
    "not_ready": (503, "Not ready: sandbox.", [{"field": "sandbox", "error": "does not answer"}]),
}

ANYWHERE: Final = ("method_not_allowed", "internal_error")
WITH_QUERY: Final = ("invalid",)
WITH_KEY: Final = (
    "key_missing",
    "key_unknown",
    "key_expired",
    "key_revoked",
    "wrong_key_kind",
    "foreign_address",
    "foreign_origin",
)
WITH_BODY: Final = ("invalid", "body_too_slow", "body_too_large", "unsupported_media_type")
WITH_BYTES: Final = ("body_too_slow", "body_too_large")
IDEMPOTENT: Final = ("idempotency_conflict", "idempotency_in_progress")
WITH_RUN: Final = ("concurrency_limit", "rate_limit", "run_quota", "toolchain_unavailable", "sandbox_unavailable")

_PHRASES: Final = {
    400: "Something in the request is wrong; `errors` names the fields.",
    401: "No key, or none that is good.",
    403: "The key may not be used here.",
    404: "Nothing there, or nothing of yours.",
    405: "Another method belongs here; `Allow` names it.",
    408: "The body came too slowly.",
    409: "It stands against how things are.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    429: "A limit is reached. `Retry-After` says when to come again.",
    500: "A fault of ours.",
    503: "It cannot be done right now, and was not counted.",
}


def responses(codes: tuple[str, ...]) -> dict[int, OpenApiResponse]:
    """The refusals of an operation, by status: which codes it may have, each with an example."""
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(REFUSALS[code][0], []).append(code)
    return {status: _response(status, found) for status, found in sorted(by_status.items())}


def _response(status: int, codes: list[str]) -> OpenApiResponse:
    schema: Schema = {"allOf": [ref("Error"), {"properties": {"code": {"enum": codes}}}]}
    examples = [OpenApiExample(code, value=_example(code), response_only=True) for code in codes]
    return OpenApiResponse(schema, description=_PHRASES[status], examples=examples)


def _example(code: str) -> dict[str, Any]:
    _, message, errors = REFUSALS[code]
    return {"message": message, "code": code, "errors": errors}
