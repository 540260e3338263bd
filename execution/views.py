"""The REST endpoints: thin adapters between HTTP and the rest of the app.

They are called by `config.hot_path`, without session and page middleware, and raise `ApiError` for every refusal.
"""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.authentication import authenticate
from accounts.caller import Caller
from accounts.client_ip import client_ip
from execution.idempotency import once
from execution.json_body import json_object
from execution.listing import listed_compilers
from execution.requests import RunRequest
from execution.results import answer_of
from execution.runs import run_code
from execution.v1_requests import run_request_of
from execution.v1_results import v1_answer_of


async def api_caller(request: HttpRequest) -> Caller:
    """Whose API key the request carries. Raises NotAuthenticated and PermissionDenied."""
    headers = request.headers
    address = client_ip(request.scope)  # type: ignore[attr-defined]
    return await authenticate(headers=headers, client_ip=address, origin=headers.get("Origin"), kind="api")


@csrf_exempt
@require_POST
async def run_code_sync(request: HttpRequest) -> HttpResponse:
    """`POST /api/run-code-sync/`: runs a program to its end and answers with its result."""
    caller = await api_caller(request)
    run_request = RunRequest.from_data(json_object(request))

    async def answer(run_id: UUID | None) -> HttpResponse:
        ran = await run_code(caller=caller, request=run_request, surface="sync", run_id=run_id)
        body = answer_of(ran.result, extended=run_request.extended, with_files=bool(run_request.output_files))
        return JsonResponse(body, headers=ran.headers)

    return await once(request, caller, answer)


@csrf_exempt
@require_POST
async def v1_execute(request: HttpRequest) -> HttpResponse:
    """`POST /v1/execute`: the same in that protocol's words."""
    caller = await api_caller(request)
    run_request = run_request_of(json_object(request))

    async def answer(run_id: UUID | None) -> HttpResponse:
        ran = await run_code(caller=caller, request=run_request, surface="v1", run_id=run_id)
        return JsonResponse(v1_answer_of(ran.result), headers=ran.headers)

    return await once(request, caller, answer)


@require_safe
async def compilers(_request: HttpRequest) -> JsonResponse:
    """`GET /api/compilers/`: every compiler of the catalogue, and whether it can run here now. No key needed."""
    return JsonResponse(listed_compilers(), safe=False, headers={"Cache-Control": "no-cache"})
