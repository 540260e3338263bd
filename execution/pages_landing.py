"""The landing page: what the service does, what can run here now, what it costs."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from billing.pages import Offer, offers
from billing.plans import FREE
from execution.catalogue import COMPILERS, installed
from execution.pages_markdown import highlighted

_REQUEST = """\
curl -X POST {base}/api/run-code-sync/ \\
  -H "Authorization: $API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{{
    "compiler": "python-3.14",
    "code": "print(input()[::-1])",
    "input": "olleh"
  }}'"""

_ANSWER = """\
{
  "output": "hello\\n",
  "error": "",
  "status": "success",
  "exit_code": 0,
  "signal": null,
  "time": "0.0248",
  "total": "0.0248",
  "memory": "8192"
}"""


@dataclass(frozen=True, slots=True)
class Ending:
    """A program of `language`, and how the service reports its end."""

    source: str
    language: str
    exit_code: int
    meaning: str

    @property
    def code(self) -> SafeString:
        return highlighted(self.source, self.language)

    @property
    def well(self) -> bool:
        return self.exit_code == 0


ENDINGS = (
    Ending('print("Hello, World!")', "python", 0, "success"),
    Ending("exit(3)", "python", 3, "as the program chose"),
    Ending("while True: pass", "python", 124, "time limit, with the output so far"),
    Ending("bytearray(2_000_000_000)", "python", 137, "memory limit, signal 9"),
    Ending("int main() { *(int *)0 = 1; }", "c", 139, "segmentation fault, signal 11"),
)


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    manifests = installed(settings.RUNCODE_HOME)
    context = {
        "request_code": highlighted(_REQUEST.format(base=settings.PUBLIC_URL), "sh"),
        "answer_code": highlighted(_ANSWER, "json"),
        "endings": ENDINGS,
        "compilers": [(COMPILERS[id_], manifest) for id_, manifest in manifests.items()],
        "free": Offer(FREE),
        "offers": offers(),
        "base_url": settings.PUBLIC_URL,
    }
    return render(request, "landing.html", context)
