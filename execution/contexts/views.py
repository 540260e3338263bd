"""`POST /execute` and what may be done with its contexts."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from execution.contexts.answers import context_of, execution_of
from execution.contexts.cells import run_cell, scope_of, told
from execution.contexts.requests import ExecuteRequest
from execution.contexts.streaming import streamed, wanted
from execution.idempotency import HEADER, once
from execution.json_body import json_object
from execution.sandbox.cells import ContextInfo
from execution.sandbox.context_client import ContextClient
from execution.sandbox_clients import sandbox_client
from execution.views import api_caller


@csrf_exempt
@require_POST
async def execute(request: HttpRequest) -> HttpResponseBase:
    """Runs a cell in a context, a new one where none is named, and answers with an Execution, or with what leads to it
    as it comes."""
    caller = await api_caller(request)
    execute_request = ExecuteRequest.from_data(json_object(request))
    # What is to be given again must come whole.
    if HEADER not in request.headers and (kind := wanted(request.headers.get("Accept", ""))):
        return await streamed(caller, execute_request, kind)

    async def answer(run_id: UUID | None) -> HttpResponse:
        ran = await run_cell(caller=caller, request=execute_request, run_id=run_id)
        return JsonResponse(execution_of(ran.context_id, ran.result), headers=ran.headers)

    return await once(request, caller, answer)


@require_safe
async def contexts(request: HttpRequest) -> HttpResponse:
    """The organisation's live contexts, the oldest first."""
    caller = await api_caller(request)
    async with told():
        listed = await ContextClient(sandbox_client()).listed(scope=scope_of(caller))
    return JsonResponse({"contexts": [context_of(info) for info in listed]})


@csrf_exempt
@require_http_methods(["GET", "HEAD", "DELETE"])
async def context(request: HttpRequest, context_id: str) -> HttpResponse:
    """Looks at a context, or closes it."""
    if request.method != "DELETE":
        return await _about(request, context_id, ContextClient.info)
    caller = await api_caller(request)
    async with told():
        await ContextClient(sandbox_client()).close(scope=scope_of(caller), context_id=context_id)
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
async def interrupt(request: HttpRequest, context_id: str) -> HttpResponse:
    """Ends the running cell; the state stays where the language can keep it."""
    return await _about(request, context_id, ContextClient.interrupt)


@csrf_exempt
@require_POST
async def restart(request: HttpRequest, context_id: str) -> HttpResponse:
    """The same context with nothing in it."""
    return await _about(request, context_id, ContextClient.restart)


async def _about(request: HttpRequest, context_id: str, ask: Callable[..., Awaitable[ContextInfo]]) -> HttpResponse:
    caller = await api_caller(request)
    async with told():
        info = await ask(ContextClient(sandbox_client()), scope=scope_of(caller), context_id=context_id)
    return JsonResponse(context_of(info))
