"""`POST /api/run-code/`: queues a run."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from execution.async_runs.accepting import accept
from execution.async_runs.requests import AsyncRequest
from execution.idempotency import once
from execution.json_body import json_object
from execution.views import api_caller


@csrf_exempt
@require_POST
async def run_code(request: HttpRequest) -> HttpResponse:
    """Answers as soon as the run's row is committed; its result is sent to the key's redirect URL, or fetched."""
    caller = await api_caller(request)
    async_request = AsyncRequest.from_data(json_object(request))

    async def answer(run_id: UUID | None) -> HttpResponse:
        accepted = await accept(caller=caller, request=async_request, uuid=run_id)
        return JsonResponse({"status": "queued", "id": accepted.run_id}, status=202, headers=accepted.headers)

    return await once(request, caller, answer)
