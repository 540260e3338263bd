"""Django's error views: the JSON shape below API paths, a page of `templates/` (400.html, 404.html …) elsewhere."""

import structlog
from django.http import HttpRequest, HttpResponse
from django.views import defaults

from config.api_paths import is_api
from config.error_responses import as_api_error, error_response, internal_error
from config.errors import ApiError, InvalidRequest, NotFound, PermissionDenied


def _shaped(exception: Exception, otherwise: ApiError) -> HttpResponse:
    return error_response(as_api_error(exception) or otherwise)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request.path):
        return _shaped(exception, InvalidRequest("The request could not be read."))
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request.path):
        return _shaped(exception, PermissionDenied("This is not allowed."))
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request.path):
        return _shaped(exception, NotFound("There is nothing at this address."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if is_api(request.path):
        return error_response(internal_error(structlog.contextvars.get_contextvars().get("request_id", "")))
    return defaults.server_error(request)
