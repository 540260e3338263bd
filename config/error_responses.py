"""Every error as an HTTP answer in the one shape of `config.errors`, whichever layer raised it."""

from collections.abc import Mapping
from http import HTTPStatus

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse

from config.api_paths import refuses_in_words
from config.errors import (
    ApiError,
    BodyTooLarge,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PermissionDenied,
)


class InternalError(ApiError):
    """What is said of a fault of ours: that it happened and the name to report it by, never what it was."""

    status, code = 500, "internal_error"


def as_api_error(error: Exception) -> ApiError | None:
    """The refusal that an exception means, or None when it is a fault of ours."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, Http404):
        return NotFound("There is nothing at this address.")
    if isinstance(error, DjangoPermissionDenied):
        return PermissionDenied("This is not allowed.")
    if isinstance(error, RequestDataTooBig):
        return BodyTooLarge("The body is too large.")
    if isinstance(error, BadRequest | SuspiciousOperation):
        return InvalidRequest("The request could not be read.")
    return None


def internal_error(request_id: str) -> InternalError:
    return InternalError(f"Something broke on our side. If it stays, report it with the request id {request_id}.")


def error_response(error: ApiError, *, path: str = "") -> HttpResponse:
    """The answer of a refusal: its status, its headers and its body. `path` is where it is refused."""
    headers: Mapping[str, str] = error.headers
    if refuses_in_words(path):
        words = "text/plain; charset=utf-8"
        return HttpResponse(error.message, status=error.status, headers=headers, content_type=words)
    return JsonResponse(error.body(), status=error.status, headers=headers)


def in_shape(response: HttpResponseBase, *, method: str, path: str) -> HttpResponseBase:
    """Django's own refusal of a method, with an empty body, in our shape; OPTIONS is answered instead of refused.

    Any other answer is returned as it is.
    """
    if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or response.get("Content-Type") == "application/json":
        return response
    methods = response.headers.get("Allow", "")
    if method == "OPTIONS":
        answer = HttpResponse(status=204, headers={"Allow": f"{methods}, OPTIONS"})
        del answer.headers["Content-Type"]
        return answer
    refusal = MethodNotAllowed(f"This address takes {methods}, not {method}.", headers={"Allow": f"{methods}, OPTIONS"})
    return error_response(refusal, path=path)
