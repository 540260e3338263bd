"""The playground: write a program in the browser, run it as a member of the current organisation.

Runs come through the same door as the API's and count against the same plan."""

from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.caller import Caller
from accounts.current import MemberRequest, member_required
from config.errors import ApiError
from execution.catalogue import COMPILERS, Compiler, installed
from execution.requests import RunRequest
from execution.results import text_of
from execution.runs import run_code
from execution.sandbox.job import Outcome, Result

MIB = 1024 * 1024
# As much as a person reads; the API returns the rest.
SHOWN_BYTES = 64 * 1024

_NOTES = {
    Outcome.COMPILE_ERROR: "It did not compile.",
    Outcome.TIME_LIMIT: "Ended: it ran longer than the time limit.",
    Outcome.MEMORY_LIMIT: "Ended: it used more memory than it may.",
    Outcome.OUTPUT_LIMIT: "Ended: it printed more than is kept.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A result in the words of the page: seconds with four decimals, memory in MB."""

    result: Result

    @property
    def exit_code(self) -> int:
        return self.result.exit_code

    @property
    def signal(self) -> int | None:
        return self.result.signal

    @property
    def is_compile_error(self) -> bool:
        return self.result.outcome is Outcome.COMPILE_ERROR

    @property
    def time(self) -> str:
        return f"{self.result.wall_seconds:.4f}"

    @property
    def compile_time(self) -> str:
        """Empty when there was nothing to compile."""
        seconds = self.result.compile_seconds
        return "" if seconds is None else f"{seconds:.4f}"

    @property
    def memory_mb(self) -> str:
        return f"{self.result.memory_bytes / MIB:.1f}"

    @property
    def note(self) -> str:
        return _NOTES.get(self.result.outcome, "")

    @property
    def output(self) -> str:
        return _text(self.result.stdout, cut=self.result.stdout_truncated)

    @property
    def output_truncated(self) -> bool:
        return self.result.stdout_truncated or len(self.result.stdout) > SHOWN_BYTES

    @property
    def error(self) -> str:
        return _text(self._error, cut=self.result.stderr_truncated)

    @property
    def error_truncated(self) -> bool:
        return self.result.stderr_truncated or len(self._error) > SHOWN_BYTES

    @property
    def _error(self) -> bytes:
        return self.result.compile_output if self.is_compile_error else self.result.stderr


@member_required
@require_safe
def playground(request: MemberRequest) -> HttpResponse:
    return render(request, "playground/page.html", _page(request.GET.get("compiler", "")))


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
        answer = await run_code(caller=_caller(request), request=RunRequest.from_data(sent), surface="playground")
        context["result"] = Shown(answer.result)
    except ApiError as refusal:
        context["refusal"] = refusal
    return await sync_to_async(_answer)(request, sent, context)


def _caller(request: MemberRequest) -> Caller:
    """The member in the place of a key. Keys have positive ids, so each member has the limits of a key of their own."""
    return Caller(organisation_id=request.organisation.pk, key_id=-request.user.pk, kind="api")


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


def _text(data: bytes, *, cut: bool) -> str:
    return text_of(data[:SHOWN_BYTES], cut=cut or len(data) > SHOWN_BYTES)
