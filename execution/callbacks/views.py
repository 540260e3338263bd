"""The deliveries of a run or a batch over the API."""

from channels.db import database_sync_to_async
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from execution.batches.views import find as find_batch
from execution.callbacks.answers import deliveries_of, told
from execution.callbacks.resending import resend_all_of
from execution.history_views import find as find_run
from execution.models import Batch, Delivery, Run
from execution.views import api_caller


@require_safe
async def run_deliveries(request: HttpRequest, run_id: str) -> JsonResponse:
    """`GET /api/runs/{id}/deliveries/`: what was sent, and what came of each attempt."""
    return await _listed(await find_run(await api_caller(request), run_id))


@require_safe
async def batch_deliveries(request: HttpRequest, batch_id: str) -> JsonResponse:
    """`GET /api/batches/{id}/deliveries/`: likewise."""
    return await _listed(await find_batch(await api_caller(request), batch_id))


@csrf_exempt
@require_POST
async def resend_run(request: HttpRequest, run_id: str) -> JsonResponse:
    """`POST /api/runs/{id}/deliveries/resend/`: sends the result again."""
    return await _sent_again(await find_run(await api_caller(request), run_id))


@csrf_exempt
@require_POST
async def resend_batch(request: HttpRequest, batch_id: str) -> JsonResponse:
    """`POST /api/batches/{id}/deliveries/resend/`: likewise."""
    return await _sent_again(await find_batch(await api_caller(request), batch_id))


async def _listed(subject: Run | Batch) -> JsonResponse:
    return _answer(await database_sync_to_async(deliveries_of)(subject))


async def _sent_again(subject: Run | Batch) -> JsonResponse:
    return _answer(await database_sync_to_async(resend_all_of)(subject), status=202)


def _answer(found: list[Delivery], *, status: int = 200) -> JsonResponse:
    return JsonResponse([told(delivery) for delivery in found], safe=False, status=status)
