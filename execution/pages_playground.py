"""The playground: write a program in the browser, run it as a member of the current organisation.

Runs come through the same door as the API's and count against the same plan."""

from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.current import MemberRequest, caller_of, member_required
from config.errors import ApiError
from execution.catalogue import COMPILERS, Compiler, installed
from execution.models import Run
from execution.pages_results import Shown
from execution.pages_runs_shown import ShownRun
from execution.requests import RunRequest
from execution.runs import run_code


@member_required
@require_safe
def playground(request: MemberRequest) -> HttpResponse:
    """With `?compiler=` its sample, with `?run=` the program of one of the organisation's runs."""
    page = _page(request.GET.get("compiler", ""))
    if asked := _asked(request, request.GET.get("run", "")):
        page = {
            **_page(asked.compiler.id),
            "code": asked.files[asked.entrypoint].decode(),
            "input": asked.input.decode(),
        }
    return render(request, "playground/page.html", page)


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
async def playground_run(request: MemberRequest) -> HttpResponse:
    """Runs the form's program. The page's script gets the result alone, a browser without JavaScript the whole page.

    Whoever signs in on the way comes here with a GET, and goes to the form.
    """
    if request.method != "POST":
        return redirect("playground")
    # Browsers end the lines of a text area with CR LF.
    sent = {name: request.POST.get(name, "").replace("\r\n", "\n") for name in ("compiler", "code", "input")}
    context: dict[str, Any] = {}
    try:
        answer = await run_code(caller=caller_of(request), request=RunRequest.from_data(sent), surface="playground")
        context["result"] = Shown(answer.result)
    except ApiError as refusal:
        context["refusal"] = refusal
    return await sync_to_async(_answer)(request, sent, context)


def _asked(request: MemberRequest, run_id: str) -> RunRequest | None:
    """What a run of the organisation was asked, if the page has fields for all of it."""
    if not (run_id.isascii() and run_id.isdecimal() and len(run_id) < 19):
        return None
    run = Run.objects.filter(organisation=request.organisation, pk=int(run_id)).select_related("batch").first()
    shown = None if run is None else ShownRun(run)
    return shown.request if shown is not None and shown.fits_the_playground else None


def _answer(request: HttpRequest, sent: dict[str, str], context: dict[str, Any]) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return render(request, "playground/result.html", context)
    page = {**_page(sent["compiler"]), "code": sent["code"], "input": sent["input"], **context}
    return render(request, "playground/page.html", page)


def _page(compiler_id: str) -> dict[str, Any]:
    here: list[tuple[Compiler, Any]] = [(COMPILERS[id_], it) for id_, it in installed(settings.RUNCODE_HOME).items()]
    chosen = next((compiler for compiler, _ in here if compiler.id == compiler_id), here[0][0] if here else None)
    return {
        "compilers": here,
        "chosen": chosen,
        "code": _sample(chosen) if chosen else "",
        "input": "",
        "samples": {compiler.id: _sample(compiler) for compiler, _ in here},
    }


def _sample(compiler: Compiler) -> str:
    return compiler.sample.strip("\n") + "\n"
