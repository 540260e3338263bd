"""The console: cells of a context, typed in the browser, run as a member of the current organisation.

What they show can be anything, HTML with scripts among it. It is shown in a frame whose document comes from here, with
a policy of its own: no origin, no network, no way out, scripts only within."""

from typing import Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from accounts.current import MemberRequest, caller_of, member_required
from billing.subscriptions import plan_for
from config.error_responses import error_response
from config.errors import ApiError
from execution.catalogue import installed
from execution.contexts.requests import ExecuteRequest
from execution.contexts.streaming import NDJSON, streamed
from execution.pages_contexts import CONSOLE, ShownContext, context_or_404
from execution.sandbox.kernels import KERNELS

# The page may show frames of this origin, which the others may not.
_PAGE_POLICY: Final = {"frame-src": ["'self'"]}

_OUTPUT_POLICY: Final = "; ".join(
    (
        "sandbox allow-scripts",
        "default-src 'none'",
        "script-src 'unsafe-inline' 'unsafe-eval'",
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "media-src data: blob:",
        "font-src data:",
        "frame-ancestors 'self'",
    )
)

# Waits for one message of the page around it, shows the HTML in it, and tells how high that is, again when it changes.
_OUTPUT: Final = """<!doctype html><meta charset="utf-8"><title>Output</title><script>
addEventListener("message", ({ source, data }) => {
  if (source !== parent) return;
  document.open();
  document.write(data.html);
  document.close();
  new ResizeObserver(() => {
    parent.postMessage({ height: document.documentElement.scrollHeight }, "*");
  }).observe(document.documentElement);
}, { once: true });
parent.postMessage({ ready: true }, "*");
</script>
"""


@never_cache
@member_required
@require_safe
async def console(request: MemberRequest, context_id: str = "") -> HttpResponse:
    """A console on a live context of the organisation, or one that opens its context with the first cell."""
    shown = ShownContext(await context_or_404(request, context_id)) if context_id else None
    if shown is not None and not shown.has_console:
        raise Http404("This context belongs to another kind of client.")
    plan = await plan_for(request.organisation.pk)
    return await sync_to_async(_page)(request, {"context": shown, "idle_minutes": plan.context_idle_seconds // 60})


@member_required
@require_POST
async def console_run(request: MemberRequest) -> HttpResponseBase:
    """Runs a cell and tells what it does as it does it, as lines of JSON; a refusal is an error of the API."""
    # Browsers end the lines of a form's text with CR LF.
    sent = {
        name: request.POST[name].replace("\r\n", "\n")
        for name in ("code", "language", "context_id")
        if name in request.POST
    }
    try:
        return await streamed(caller_of(request), ExecuteRequest.from_data(sent), NDJSON)
    except ApiError as refusal:
        return error_response(refusal)


@cache_control(max_age=3600, private=True)
@xframe_options_sameorigin
@require_safe
def console_output(_request: HttpRequest) -> HttpResponse:
    """The document of the frames in which output is shown. It holds nothing and is the same for everybody."""
    return HttpResponse(_OUTPUT, headers={"Content-Security-Policy": _OUTPUT_POLICY})


def _page(request: MemberRequest, context: dict[str, object]) -> HttpResponse:
    here = installed(settings.RUNCODE_HOME)
    languages = [
        (kernel, language, here[KERNELS[kernel].compiler].version)
        for kernel, language in CONSOLE.items()
        if KERNELS[kernel].compiler in here
    ]
    response = render(request, "dashboard/contexts/console.html", {**context, "languages": languages})
    response._csp_update = _PAGE_POLICY  # type: ignore[attr-defined]
    return response
