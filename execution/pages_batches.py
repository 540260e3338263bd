"""The dashboard's pages for batches: the list, and one batch with its tests."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.current import MemberRequest, member_required
from execution.batches import rows
from execution.callbacks.answers import deliveries_of
from execution.catalogue import COMPILERS
from execution.history_filters import LARGEST_ID
from execution.models import Batch
from execution.pages_runs_shown import WORDS, ShownRun, trigger_refresh
from execution.results import shown

PAGE = 30
TESTS = 100


@dataclass(frozen=True)
class ShownBatch:
    batch: Batch

    @property
    def badge(self) -> tuple[str, str]:
        batch = self.batch
        if batch.status == Batch.Status.FINISHED and batch.refusal_code:
            return WORDS["refused"]
        return WORDS[batch.verdict or batch.status] if batch.ended else WORDS[batch.status]

    @property
    def compiler(self) -> str:
        known = COMPILERS.get(self.batch.compiler)
        return known.name if known else self.batch.compiler

    @property
    def score(self) -> str:
        return "" if self.batch.score is None else f"{100 * self.batch.score:.4g} %"

    @property
    def compile_output(self) -> str:
        return shown(bytes(self.batch.compile_output or b""), cut=False)[0]

    @property
    def checker_error(self) -> str:
        return shown(bytes(self.batch.checker_error or b""), cut=False)[0]


@never_cache
@member_required
@require_safe
def batches(request: MemberRequest) -> HttpResponse:
    found = request.organisation.batches.defer("request")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdecimal() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    page = list(found.order_by("-pk")[: PAGE + 1])
    context = {
        "batches": [ShownBatch(batch) for batch in page[:PAGE]],
        "older": page[PAGE - 1].pk if len(page) > PAGE else "",
    }
    return render(request, "dashboard/batches/page.html", context)


@never_cache
@member_required
@require_safe
def batch(request: MemberRequest, batch_id: int) -> HttpResponse:
    """One batch and a page of its tests. While it has not ended, htmx asks for the part that changes."""
    found = _batch_or_404(request, batch_id)
    after = request.GET.get("after", "")
    start = min(int(after) + 1, LARGEST_ID) if after.isascii() and after.isdecimal() and len(after) < 9 else 0
    light = found.cases.filter(position__gte=start).defer("request", "extra_params", "stdout", "stderr", "files")
    page = list(light.order_by("position")[: TESTS + 1])
    context = {
        "shown": ShownBatch(found),
        "batch": found,
        "tests": [ShownRun(run) for run in page[:TESTS]],
        "more": page[TESTS - 1].position if len(page) > TESTS else "",
        "start": start,
        "deliveries": deliveries_of(found),
    }
    if request.headers.get("HX-Request"):
        part = render(request, "dashboard/batches/state.html", context)
        return trigger_refresh(part) if found.ended else part
    return render(request, "dashboard/batches/batch.html", context)


@member_required
@require_POST
def cancel_batch(request: MemberRequest, batch_id: int) -> HttpResponse:
    rows.request_cancel(_batch_or_404(request, batch_id))
    return redirect("batch", batch_id)


def _batch_or_404(request: MemberRequest, batch_id: int) -> Batch:
    return get_object_or_404(Batch.objects.defer("request"), organisation=request.organisation, pk=batch_id)
