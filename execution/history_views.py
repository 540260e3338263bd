"""The history's endpoints: runs as objects, each only to be found by its own organisation."""

from collections.abc import Mapping
from typing import Any, Final

from channels.db import database_sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.caller import Caller
from config.errors import FieldError, InvalidRequest, NotFound
from execution import cancelling
from execution.history_answers import detailed, listed
from execution.history_filters import LARGEST_ID, Filters
from execution.models import Run
from execution.views import api_caller
from execution.waiting import wait_until_ended

MOST_WAIT_SECONDS: Final = 60.0


@require_safe
async def runs(request: HttpRequest) -> JsonResponse:
    """`GET /api/runs/`: a page of the organisation's runs, the newest first."""
    caller = await api_caller(request)
    filters = Filters.from_query(request.GET)
    page, following = await database_sync_to_async(filters.page)(
        Run.objects.filter(organisation=caller.organisation_id)
    )
    address = f"{settings.PUBLIC_URL}/api/runs/?{following.to_query()}" if following else None
    return JsonResponse({"next": address, "results": [listed(run) for run in page]})


@csrf_exempt
@require_http_methods(["GET", "HEAD", "DELETE"])
async def run(request: HttpRequest, run_id: str) -> HttpResponse:
    """`GET /api/runs/{id}/`: a run, on request once it has ended; `DELETE` takes it out of the history."""
    caller = await api_caller(request)
    if request.method == "DELETE":
        return await _remove(await find(caller, run_id))
    seconds = wait_of(request.GET)
    extended = flag_of(request.GET, "extended", default=False)
    found = await find(caller, run_id)
    if seconds and not found.ended:
        await wait_until_ended(Run, found.pk, seconds)
        found = await find(caller, run_id)
    return JsonResponse(detailed(found, extended=extended))


@csrf_exempt
@require_POST
async def cancel(request: HttpRequest, run_id: str) -> JsonResponse:
    """`POST /api/runs/{id}/cancel/`: ends a run that has not ended; answers how it stands now."""
    found = await find(await api_caller(request), run_id)
    await database_sync_to_async(cancelling.cancel)(found)
    return JsonResponse(listed(found))


async def _remove(found: Run) -> HttpResponse:
    if not found.ended:
        await database_sync_to_async(cancelling.cancel)(found)
        return JsonResponse(listed(found), status=202)
    await found.adelete()
    return HttpResponse(status=204)


async def find(caller: Caller, run_id: str) -> Run:
    """The organisation's run of that id. Raises NotFound, for another's alike."""
    # Digits that no column holds are an id that nothing has.
    if len(run_id) <= 19 and int(run_id) <= LARGEST_ID:
        rows = Run.objects.filter(pk=int(run_id), organisation=caller.organisation_id).select_related("batch")
        found: Run | None = await database_sync_to_async(rows.first)()
        if found is not None:
            return found
    raise NotFound("There is no run of this id. What is older than your plan’s history is removed.")


def wait_of(query: Mapping[str, Any]) -> float:
    """The seconds of `?wait=`, 0 without it. Raises InvalidRequest."""
    text = query.get("wait", "") or "0"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MOST_WAIT_SECONDS:
        error = f"Must be from 0 to {MOST_WAIT_SECONDS:.0f} seconds."
        raise InvalidRequest(f"wait: {error}", errors=[FieldError("wait", error)])
    return seconds


def flag_of(query: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """The parameter of that name, `true` or `false`. Raises InvalidRequest."""
    text = query.get(name, "")
    if text not in ("true", "false", ""):
        error = "Must be true or false."
        raise InvalidRequest(f"{name}: {error}", errors=[FieldError(name, error)])
    return bool(text == "true") if text else default
