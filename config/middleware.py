"""The service's own part of the page middleware; API paths take the short way of `config.hot_path` instead."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from config import access_log, request_ids
from config.api_paths import is_api
from config.error_responses import error_response, in_shape
from config.errors import ApiError

# Features that no page of ours uses, refused to whatever gets into one.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "microphone", "usb")
)


class RequestLogMiddleware:
    """Names every request (`X-Request-ID`) and writes its log line. The outermost middleware."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        started = time.perf_counter()
        request_id = request_ids.begin(request.headers.get(request_ids.HEADER))
        if self._is_async:
            return self._answer_later(request, request_id, started)
        return self._done(request, cast(HttpResponseBase, self.get_response(request)), request_id, started)

    async def _answer_later(self, request: HttpRequest, request_id: str, started: float) -> HttpResponseBase:
        try:
            response = await cast(Awaitable[HttpResponseBase], self.get_response(request))
        except asyncio.CancelledError:
            access_log.write(
                method=request.method or "", path=request.path, status=access_log.CLIENT_GONE, started=started
            )
            raise
        return self._done(request, response, request_id, started)

    def _done(
        self, request: HttpRequest, response: HttpResponseBase, request_id: str, started: float
    ) -> HttpResponseBase:
        response.headers[request_ids.HEADER] = request_id
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        access_log.write(method=request.method or "", path=request.path, status=response.status_code, started=started)
        return response


class ApiErrorMiddleware(MiddlewareMixin):
    """Gives a refusal its JSON shape where it is raised below the page middleware."""

    def process_exception(self, _request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return error_response(exception) if isinstance(exception, ApiError) else None

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        path = request.path_info
        return in_shape(response, method=request.method or "", path=path) if is_api(path) else response
