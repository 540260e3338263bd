"""The dashboard's pages for runs: the list with its filters, the inspector, and what can be done with a run.

Every member of the organisation sees all of its runs; another organisation's run is not found.
"""

from typing import Any
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.current import MemberRequest, caller_of, member_required
from billing.subscriptions import look_up
from config.errors import ApiError, InvalidRequest
from execution import cancelling, history
from execution.callbacks.answers import deliveries_of
from execution.catalogue import COMPILERS
from execution.history_filters import OUTCOMES, Filters
from execution.models import Run, Share
from execution.pages_markdown import figure
from execution.pages_runs_shown import WORDS, ShownRun, trigger_refresh
from execution.runs import run_code

PAGE = 30


@never_cache
@member_required
@require_safe
def runs(request: MemberRequest) -> HttpResponse:
    """The list; htmx gets the part below the filters. Tests of batches stand with their batch, unless asked for."""
    error = ""
    try:
        filters = Filters.from_query({"limit": str(PAGE), **request.GET.dict()})
    except InvalidRequest as refused:
        filters, error = Filters(limit=PAGE), refused.message
    rows = request.organisation.runs.all()
    if not (filters.batch or filters.surface or filters.verdict):
        rows = rows.exclude(surface=Run.Surface.BATCH)
    page, following = filters.page(rows)
    context = {
        "runs": [ShownRun(run) for run in page],
        "filters": filters,
        "error": error,
        "older": following.to_query() if following else "",
        "any": bool(page) or request.organisation.runs.exists(),
        "days": look_up(request.organisation.pk).plan.history_days,
        **_choices(request),
    }
    part = "list" if request.headers.get("HX-Request") else "page"
    return render(request, f"dashboard/runs/{part}.html", context)


@never_cache
@member_required
@require_safe
def run(request: MemberRequest, run_id: int) -> HttpResponse:
    """The inspector. While the run has not ended, htmx asks for the part that changes."""
    shown = ShownRun(_run_or_404(request, run_id))
    if request.headers.get("HX-Request"):
        part = render(request, "dashboard/runs/state.html", {"shown": shown, "run": shown.run})
        return trigger_refresh(part) if shown.run.ended else part
    share = Share.objects.filter(run=shown.run).first()
    context = {
        "shown": shown,
        "run": shown.run,
        "deliveries": deliveries_of(shown.run),
        "curl": figure(shown.curl.replace("$BASE", settings.PUBLIC_URL), "sh") if shown.curl else "",
        "share_url": f"{settings.PUBLIC_URL}/r/{share.token}/" if share else "",
    }
    return render(request, "dashboard/runs/run.html", context)


@member_required
@require_POST
async def run_again(request: MemberRequest, run_id: int) -> HttpResponse:
    """Runs the same again, as this member at the playground would, and shows the new run."""
    found = await sync_to_async(_run_or_404)(request, run_id)
    asked = await sync_to_async(lambda: ShownRun(found).request)()
    if asked is None:
        messages.error(request, "The program of this run is not kept, so it can’t be run again.")
        return redirect("run", run_id)
    caller = caller_of(request)
    started_at = timezone.now()
    try:
        answer = await run_code(caller=caller, request=asked, run_id=uuid4())
    except ApiError as refusal:
        messages.error(request, refusal.message)
        return redirect("run", run_id)
    # At once, and not behind the answer: the answer leads there.
    ended = history.Ended(answer.run_id, caller, Run.Surface.PLAYGROUND, asked, answer.result, started_at)
    await sync_to_async(history.write)([ended])
    again = await Run.objects.aget(uuid=answer.run_id)
    return redirect("run", again.pk)


@member_required
@require_POST
def cancel_run(request: MemberRequest, run_id: int) -> HttpResponse:
    cancelling.cancel(_run_or_404(request, run_id))
    return redirect("run", run_id)


@member_required
@require_POST
def remove_run(request: MemberRequest, run_id: int) -> HttpResponse:
    """Takes a run that has ended out of the history, with everything that belongs to it."""
    found = _run_or_404(request, run_id)
    if not found.ended:
        messages.error(request, "This run has not ended. Cancel it first.")
        return redirect("run", run_id)
    found.delete()
    messages.success(request, f"Run {run_id} is removed.")
    return redirect("runs")


@member_required
@require_POST
def share_run(request: MemberRequest, run_id: int) -> HttpResponse:
    """Makes the link; once more changes nothing."""
    Share.objects.get_or_create(run=_run_or_404(request, run_id), defaults={"created_by": request.user})
    return redirect("run", run_id)


@member_required
@require_POST
def unshare_run(request: MemberRequest, run_id: int) -> HttpResponse:
    """Takes the link back. A new one would have another address."""
    Share.objects.filter(run=_run_or_404(request, run_id)).delete()
    messages.success(request, "The link no longer works.")
    return redirect("run", run_id)


@never_cache
@require_safe
def shared_run(request: HttpRequest, token: str) -> HttpResponse:
    """A run for whoever knows its link: to read, and nothing else."""
    share = get_object_or_404(Share.objects.select_related("run__batch"), token=token)
    response = render(request, "shared_run.html", {"shown": ShownRun(share.run), "run": share.run})
    response["X-Robots-Tag"] = "noindex, nofollow"
    # The address is the secret: a link that the program printed must not carry it away.
    response["Referrer-Policy"] = "no-referrer"
    return response


def _run_or_404(request: MemberRequest, run_id: int) -> Run:
    rows: QuerySet[Run] = Run.objects.select_related("batch")
    return get_object_or_404(rows, organisation=request.organisation, pk=run_id)


def _choices(request: MemberRequest) -> dict[str, Any]:
    """What the filters offer: only what can be found."""
    organisation = request.organisation
    keys = [(key.pk, key.name) for key in organisation.api_keys.all()]
    return {
        "compilers": [(compiler.id, compiler.name) for compiler in COMPILERS.values()],
        "outcomes": [(outcome, WORDS[outcome][0]) for outcome in OUTCOMES],
        "surfaces": Run.Surface.choices,
        "statuses": Run.Status.choices,
        "keys": keys,
    }
