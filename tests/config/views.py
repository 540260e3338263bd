"""Small views with one behaviour each, and the addresses under which the tests reach them on either handler."""

import asyncio
from typing import ClassVar

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

import config.urls
from config.errors import FieldError, LimitExceeded


@csrf_exempt
@require_POST
async def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body, content_type="application/octet-stream")


@require_safe
async def length(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"text": "some text"})


@require_safe
def in_a_thread(_request: HttpRequest) -> JsonResponse:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return JsonResponse({"thread": True})
    return JsonResponse({"thread": False})


async def refuses(_request: HttpRequest) -> HttpResponse:
    raise LimitExceeded(
        "Too fast.", code="rate_limit", errors=[FieldError("compiler", "is tired")], headers={"Retry-After": "7"}
    )


async def breaks(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the password is hunter2")


async def not_there(_request: HttpRequest) -> HttpResponse:
    raise Http404("row 17 of the secret table")


async def not_allowed(_request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


@require_safe
async def scheme(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"scheme": request.scheme})


class Sleeper:
    """A view that waits until its request is cancelled, and notes that it was."""

    started: ClassVar[asyncio.Event]
    cancelled: ClassVar[asyncio.Event]

    @classmethod
    def reset(cls) -> None:
        cls.started, cls.cancelled = asyncio.Event(), asyncio.Event()

    @classmethod
    async def view(cls, _request: HttpRequest) -> HttpResponse:
        cls.started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            cls.cancelled.set()
            raise
        return HttpResponse()


async def sleeper(request: HttpRequest) -> HttpResponse:
    return await Sleeper.view(request)


_VIEWS = {
    "echo": echo,
    "length": length,
    "scheme": scheme,
    "in-a-thread": in_a_thread,
    "refuses": refuses,
    "breaks": breaks,
    "not-there": not_there,
    "not-allowed": not_allowed,
    "sleeper": sleeper,
}

urlpatterns = [re_path(rf"^(?:api|page)/{name}/?$", view) for name, view in _VIEWS.items()]
urlpatterns.append(re_path(r"^cus/(?P<secret>[^/]+)/?$", lambda request, secret: HttpResponse()))
# Error pages link to the service's own.
urlpatterns += config.urls.urlpatterns

handler400 = "config.error_views.bad_request"
handler403 = "config.error_views.permission_denied"
handler404 = "config.error_views.page_not_found"
handler500 = "config.error_views.server_error"
