"""`POST /api/run-code/`: queues a run."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from execution.async_runs.accepting import accept
from execution.async_runs.requests import AsyncRequest
from execution.json_body import json_object
from execution.views import api_caller


@csrf_exempt
@require_POST
async def run_code(request: HttpRequest) -> JsonResponse:
    """Answers as soon as the run's row is committed; its result is sent to the key's redirect URL, or fetched."""
    caller = await api_caller(request)
    accepted = await accept(caller=caller, request=AsyncRequest.from_data(json_object(request)))
    return JsonResponse({"status": "queued", "id": accepted.run_id}, status=202, headers=accepted.headers)
