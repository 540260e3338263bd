"""The deliveries of a run over the API."""

from channels.db import database_sync_to_async
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from execution.callbacks.answers import deliveries_of, told
from execution.callbacks.resending import resend_run
from execution.history_views import find
from execution.views import api_caller


@require_safe
async def deliveries(request: HttpRequest, run_id: str) -> JsonResponse:
    """`GET /api/runs/{id}/deliveries/`: what was sent, and what came of each attempt."""
    run = await find(await api_caller(request), run_id)
    found = await database_sync_to_async(deliveries_of)(run)
    return JsonResponse([told(delivery) for delivery in found], safe=False)


@csrf_exempt
@require_POST
async def resend(request: HttpRequest, run_id: str) -> JsonResponse:
    """`POST /api/runs/{id}/deliveries/resend/`: sends the result again."""
    run = await find(await api_caller(request), run_id)
    found = await database_sync_to_async(resend_run)(run)
    return JsonResponse([told(delivery) for delivery in found], safe=False, status=202)
