"""The one error shape of every JSON answer (contract, section 14).

    ApiError
    ├── InvalidRequest        400 invalid
    ├── NotAuthenticated      401 unauthenticated
    ├── PermissionDenied      403 forbidden (or a narrower code)
    ├── NotFound              404 not_found
    ├── MethodNotAllowed      405 method_not_allowed
    ├── Conflict              409 idempotency_conflict | idempotency_in_progress | context_ended |
    │                             file_refused
    ├── BodyTooLarge          413 body_too_large
    ├── UnsupportedMediaType  415 unsupported_media_type
    ├── LimitExceeded         429 concurrency_limit | rate_limit | run_quota | context_limit | context_busy
    └── Unavailable           503 unavailable (or a narrower code)

Raise one anywhere below a view; the outermost layer turns it into the answer. This module
imports nothing of the project: every layer may use it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `field` is a path such as `files.main.py`, `""` the whole body."""

    field: str
    error: str


class ApiError(Exception):
    """A refusal that the client sees: status, machine-readable code, a sentence, and field errors."""

    status = 500
    code = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """The JSON object of the answer: `{"message", "code", "errors": [{"field", "error"}]}`."""
        return {
            "message": self.message,
            "code": self.code,
            "errors": [{"field": e.field, "error": e.error} for e in self.errors],
        }


class InvalidRequest(ApiError):
    status, code = 400, "invalid"


class NotAuthenticated(ApiError):
    status, code = 401, "unauthenticated"


class PermissionDenied(ApiError):
    status, code = 403, "forbidden"


class NotFound(ApiError):
    status, code = 404, "not_found"


class MethodNotAllowed(ApiError):
    status, code = 405, "method_not_allowed"


class Conflict(ApiError):
    """Always carries a narrower code."""

    status, code = 409, "idempotency_conflict"


class BodyTooLarge(ApiError):
    status, code = 413, "body_too_large"


class UnsupportedMediaType(ApiError):
    status, code = 415, "unsupported_media_type"


class LimitExceeded(ApiError):
    """Always carries a narrower code: `concurrency_limit`, `rate_limit` or `run_quota`."""

    status, code = 429, "rate_limit"


class Unavailable(ApiError):
    status, code = 503, "unavailable"
