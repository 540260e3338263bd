"""The endpoints of batches: thin adapters between HTTP and the rest."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final
from uuid import UUID, uuid4

from channels.db import database_sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.caller import Caller
from billing.subscriptions import plan_for
from config.errors import FieldError, InvalidRequest, LimitExceeded, NotFound
from execution.batch_requests import BatchRequest
from execution.batches import rows, worker
from execution.batches.answers import summary, test_of, tests_of
from execution.batches.judging import Judged
from execution.batches.waited import Event, events
from execution.capacity import admit_to_queue
from execution.history_filters import LARGEST_ID, Filters
from execution.history_views import flag_of, wait_of
from execution.idempotency import HEADER, once
from execution.json_body import json_object
from execution.models import Batch
from execution.runs import check_toolchain
from execution.views import api_caller
from execution.waiting import wait_until_ended

NDJSON: Final = "application/x-ndjson"

MOST_WAITING: Final = 100
"""Asynchronous batches of one organisation that may wait or run at once."""


@csrf_exempt
@require_POST
async def run_code_batch(request: HttpRequest) -> HttpResponseBase:
    """`POST /api/run-code-batch/`: waits for all tests, tells them one by one, or takes the batch into the queue."""
    caller = await api_caller(request)
    data = json_object(request)
    batch = BatchRequest.from_data(data)
    if batch.callback and not caller.redirect_url:
        error = "The key has no redirect URL. Set one in your dashboard, or leave this out and ask for the batch."
        raise InvalidRequest(f"callback: {error}", errors=[FieldError("callback", error)])
    for program in (batch.program, batch.checker):
        if program is not None:
            check_toolchain(program.compiler)
    # What is to be given again must come whole.
    if NDJSON in request.headers.get("Accept", "") and HEADER not in request.headers and not batch.asynchronous:
        return await _streamed(events(caller, data, batch, uuid=uuid4()))

    async def answer(run_id: UUID | None) -> HttpResponse:
        uuid = run_id or uuid4()
        if batch.asynchronous:
            return await _queued(caller, data, batch, uuid)
        return await _whole(events(caller, data, batch, uuid=uuid))

    return await once(request, caller, answer)


async def _queued(caller: Caller, data: dict[str, Any], batch: BatchRequest, uuid: UUID) -> JsonResponse:
    plan = await plan_for(caller.organisation_id)
    waiting, tests = await database_sync_to_async(rows.open_of)(caller.organisation_id)
    if waiting >= MOST_WAITING:
        raise LimitExceeded(
            f"{waiting} batches of your organisation wait already. Send this again when one has ended.",
            code="queue_full",
            headers={"Retry-After": "10"},
        )
    headers = await admit_to_queue(caller, plan, waiting=tests + batch.runs - 1)
    row = await database_sync_to_async(rows.queue)(caller, data, batch, uuid=uuid)
    worker.wake()
    return JsonResponse({"status": "queued", "id": row.pk}, status=202, headers=headers)


async def _whole(told: AsyncGenerator[Event, None]) -> JsonResponse:
    row, headers = await _begun(told)
    async with aclosing(told):
        tests = [test_of(event) async for event in told if isinstance(event, Judged)]
    tests.sort(key=lambda test: test["position"])
    return JsonResponse({**summary(row), "results": tests}, headers=headers)


async def _streamed(told: AsyncGenerator[Event, None]) -> StreamingHttpResponse:
    row, headers = await _begun(told)
    # A refusal is told by the status, and it shows with the first test.
    first = await anext(told)

    async def lines() -> AsyncIterator[bytes]:
        async with aclosing(told):
            yield _line("batch", {"id": row.pk, "tests": row.tests})
            if isinstance(first, Judged):
                yield _line("test", test_of(first))
                async for event in told:
                    if isinstance(event, Judged):
                        yield _line("test", test_of(event))
            yield _line("end", summary(row))

    # Proxies that gather an answer before they pass it on are told not to.
    return StreamingHttpResponse(lines(), content_type=NDJSON, headers={**headers, "X-Accel-Buffering": "no"})


async def _begun(told: AsyncGenerator[Event, None]) -> tuple[Batch, dict[str, str]]:
    begun = await anext(told)
    assert isinstance(begun, tuple)  # noqa: S101 (what the first event is)
    return begun


def _line(kind: str, fields: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, **fields}).encode() + b"\n"


@require_safe
async def batches(request: HttpRequest) -> JsonResponse:
    """`GET /api/batches/`: a page of the organisation's batches, the newest first."""
    caller = await api_caller(request)
    filters = Filters.from_query({name: request.GET.get(name, "") for name in ("cursor", "limit")})
    page, following = await database_sync_to_async(_page)(caller, filters)
    address = f"{settings.PUBLIC_URL}/api/batches/?{following.to_query()}" if following else None
    return JsonResponse({"next": address, "results": [summary(row) for row in page]})


@csrf_exempt
@require_http_methods(["GET", "HEAD", "DELETE"])
async def batch(request: HttpRequest, batch_id: str) -> HttpResponse:
    """`GET /api/batches/{id}/`: a batch with the tests that have ended; `DELETE` takes it out of the history."""
    caller = await api_caller(request)
    if request.method == "DELETE":
        return await _remove(await find(caller, batch_id))
    seconds = wait_of(request.GET)
    with_results = flag_of(request.GET, "results", default=True)
    found = await find(caller, batch_id)
    if seconds and not found.ended:
        await wait_until_ended(Batch, found.pk, seconds)
        found = await find(caller, batch_id)
    answer = summary(found)
    if with_results:
        answer["results"] = await database_sync_to_async(tests_of)(found)
    return JsonResponse(answer)


@csrf_exempt
@require_POST
async def cancel(request: HttpRequest, batch_id: str) -> JsonResponse:
    """`POST /api/batches/{id}/cancel/`: ends a batch that has not ended; answers how it stands now."""
    found = await find(await api_caller(request), batch_id)
    await database_sync_to_async(rows.request_cancel)(found)
    return JsonResponse(summary(found))


async def _remove(found: Batch) -> HttpResponse:
    if not found.ended:
        await database_sync_to_async(rows.request_cancel)(found)
        return JsonResponse(summary(found), status=202)
    await found.adelete()
    return HttpResponse(status=204)


async def find(caller: Caller, batch_id: str) -> Batch:
    """The organisation's batch of that id. Raises NotFound, for another's alike."""
    if len(batch_id) <= 19 and int(batch_id) <= LARGEST_ID:
        rows = Batch.objects.filter(pk=int(batch_id), organisation=caller.organisation_id).defer("request")
        found: Batch | None = await database_sync_to_async(rows.first)()
        if found is not None:
            return found
    raise NotFound("There is no batch of this id. What is older than your plan’s history is removed.")


def _page(caller: Caller, filters: Filters) -> tuple[list[Batch], Filters | None]:
    batches = Batch.objects.filter(organisation=caller.organisation_id).defer("request")
    if filters.cursor is not None:
        batches = batches.filter(pk__lt=filters.cursor)
    return filters.cut(list(batches.order_by("-pk")[: filters.limit + 1]))
