"""A run of the history in the words of its pages: the program in colours, the request as a line of shell."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.http import HttpResponse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound

from config.errors import InvalidRequest
from execution.catalogue import COMPILERS
from execution.history_requests import request_data
from execution.models import Run
from execution.models.results import result_of
from execution.pages_results import Shown
from execution.program_fields import CODE_BYTES
from execution.requests import RunRequest

# More than a person reads, and colouring it would take seconds.
_COLOURED_BYTES: Final = 64 * 1024

_formatter = HtmlFormatter(nowrap=True)

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "success": ("success", "success"),
    "runtime_error": ("runtime error", "danger"),
    "compile_error": ("compile error", "danger"),
    "time_limit": ("time limit", "danger"),
    "memory_limit": ("memory limit", "danger"),
    "output_limit": ("output limit", "danger"),
    "accepted": ("accepted", "success"),
    "wrong_answer": ("wrong answer", "danger"),
    "queued": ("queued", "warning"),
    "running": ("running", "warning"),
    "cancelled": ("cancelled", ""),
    "finished": ("finished", ""),
    "refused": ("refused", "danger"),
}
"""How an outcome, a verdict or a status reads, and the kind of its badge."""


@dataclass(frozen=True)
class File:
    path: str
    html: SafeString


@dataclass(frozen=True)
class ShownRun:
    """`run` with what its pages show of it. Its programs and outputs are any bytes: all of it is escaped."""

    run: Run

    @property
    def badge(self) -> tuple[str, str]:
        """What stands beside the run in a list."""
        run = self.run
        if run.verdict:
            return WORDS[run.verdict]
        if run.status == Run.Status.FINISHED:
            return WORDS.get(run.outcome, WORDS["refused"])
        return WORDS[run.status]

    @property
    def compiler(self) -> str:
        known = COMPILERS.get(self.run.compiler)
        return known.name if known else self.run.compiler

    @property
    def time(self) -> str:
        return "" if self.run.wall_seconds is None else f"{self.run.wall_seconds:.3f} s"

    @property
    def memory(self) -> str:
        return "" if self.run.memory_bytes is None else f"{self.run.memory_bytes / 1024 / 1024:.1f} MB"

    @cached_property
    def result(self) -> Shown | None:
        result = result_of(self.run)
        return None if result is None else Shown(result)

    @property
    def unkept(self) -> bool:
        """Whether what it printed is not kept."""
        return bool(self.run.outcome) and self.run.stdout is None

    @cached_property
    def data(self) -> dict[str, Any] | None:
        return request_data(self.run)

    @cached_property
    def request(self) -> RunRequest | None:
        """What was asked; None when it is not kept, or this release could not take it any more."""
        try:
            return None if self.data is None else RunRequest.from_data(self.data)
        except InvalidRequest:
            return None

    @property
    def files(self) -> list[File]:
        """The program's files, the main one first."""
        if self.request is None:
            return []
        others = sorted(path for path in self.request.files if path != self.request.entrypoint)
        return [File(path, coloured(path, self.request.files[path])) for path in (self.request.entrypoint, *others)]

    @property
    def input(self) -> str:
        return "" if self.request is None else self.request.input.decode(errors="replace")

    @property
    def settings(self) -> list[tuple[str, str]]:
        """What else the request asked for, as name and value."""
        if self.request is None:
            return []
        request = self.request
        asked = {
            "arguments": shlex.join(request.args),
            "environment": " ".join(f"{name}={shlex.quote(value)}" for name, value in request.env.items()),
            "time limit": f"{request.time_limit:g} s" if request.time_limit else "",
            "memory limit": f"{request.memory_limit} MB" if request.memory_limit else "",
            "output files": " ".join(request.output_files),
        }
        return [(name, value) for name, value in asked.items() if value]

    @property
    def curl(self) -> str:
        """A line of shell that asks the same again; empty when the request is not kept."""
        if self.request is None:
            return ""
        body = json.dumps(self.request.to_data(), ensure_ascii=True)
        return (
            "curl -X POST $BASE/api/run-code-sync/ \\\n"
            '  -H "Authorization: $API_KEY" \\\n'
            '  -H "Content-Type: application/json" \\\n'
            f"  -d {shlex.quote(body)}"
        )

    @property
    def fits_the_playground(self) -> bool:
        """Whether the playground, which takes one file and an input, has room for all that was asked."""
        request = self.request
        return (
            request is not None
            and set(request.files) == {request.compiler.file_name}
            and len(request.files[request.entrypoint]) <= CODE_BYTES
            and not self.settings
        )


def trigger_refresh(part: HttpResponse) -> HttpResponse:
    """Has htmx load the whole page: what has ended can be done other things with."""
    part["HX-Refresh"] = "true"
    return part


def coloured(path: str, content: bytes) -> SafeString:
    """A file as HTML with Pygments' short classes, after its name; plain when it is long or of no known language."""
    text = content.decode(errors="replace")
    if len(content) > _COLOURED_BYTES:
        return escape(text)
    try:
        lexer = get_lexer_for_filename(path, stripnl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    html: str = highlight(text, lexer, _formatter)
    return mark_safe(html)  # noqa: S308 - Pygments escapes
