"""The documentation at /docs/: the Markdown files of docs/, in the order of `CHAPTERS`.

`/docs/<page>/` is the page, `/docs/<page>.md` the same text as Markdown for programs that read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from billing.pages import offers
from execution.catalogue import COMPILERS, installed
from execution.openapi.reference import reference
from execution.pages_markdown import Document, data_marker, fill
from execution.pages_markdown import render as render_markdown

CHAPTERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Begin", ("quickstart", "today")),
    ("Guides", ("languages", "widget", "keys", "async-runs", "webhooks", "limits", "usage", "sandbox", "security")),
    (
        "Reference",
        (
            *("api", "runs", "batch", "websocket", "socketio", "execute", "contexts"),
            *("replit-client", "client-tokens", "code-tools", "mcp", "errors"),
        ),
    ),
    ("Your own installation", ("deployment", "docker-driver", "toolchains", "settings")),
)
_DATA_FENCE = re.compile(r"^```data ([a-z-]+)\n```$", re.MULTILINE)
_FOLDER = Path(settings.BASE_DIR) / "docs"


@dataclass(frozen=True, slots=True)
class Entry:
    slug: str
    document: Document


@lru_cache(maxsize=64)
def _rendered(slug: str, modified: int) -> Document:
    return render_markdown((_FOLDER / f"{slug}.md").read_text(encoding="utf-8"))


def load(slug: str) -> Document:
    """The rendered page; rendered again when its file has changed."""
    return _rendered(slug, (_FOLDER / f"{slug}.md").stat().st_mtime_ns)


def chapters() -> list[tuple[str, list[Entry]]]:
    """Every page under its heading, in reading order."""
    return [(name, [Entry(slug, load(slug)) for slug in pages]) for name, pages in CHAPTERS]


def slugs() -> list[str]:
    """The name of every page, in reading order."""
    return [slug for _, pages in CHAPTERS for slug in pages]


def _of_compilers(table: str) -> str:
    here = installed(settings.RUNCODE_HOME)
    compilers = [(compiler, here.get(compiler.id)) for compiler in COMPILERS.values()]
    return render_to_string(f"docs/tables/{table}.html", {"compilers": compilers})


def _plans() -> str:
    return render_to_string("docs/tables/plans.html", {"offers": offers()})


_TABLES: Mapping[str, Callable[[], str]] = {
    "compilers": partial(_of_compilers, "compilers"),
    "endpoints": reference,
    "libraries": partial(_of_compilers, "libraries"),
    "plans": _plans,
}


def _tables(html: str) -> dict[str, str]:
    """The tables of data that a page has."""
    return {name: make() for name, make in _TABLES.items() if data_marker(name) in html}


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    return render(request, "docs/index.html", {"chapters": chapters()})


@require_safe
def docs_page(request: HttpRequest, slug: str) -> HttpResponse:
    order = slugs()
    if slug not in order:
        raise Http404
    document = load(slug)
    place = order.index(slug)
    context = {
        "slug": slug,
        "document": document,
        "html": fill(document.html, base=settings.PUBLIC_URL, tables=_tables(document.html)),
        "takes_a_key": 'data-fill="API_KEY"' in document.html,
        "chapters": chapters(),
        "before": Entry(order[place - 1], load(order[place - 1])) if place else None,
        "after": Entry(order[place + 1], load(order[place + 1])) if place + 1 < len(order) else None,
    }
    return render(request, "docs/page.html", context)


@require_safe
def docs_source(request: HttpRequest, slug: str) -> HttpResponse:
    if slug not in slugs():
        raise Http404
    return HttpResponse(source(slug), content_type="text/markdown; charset=utf-8")


def source(slug: str) -> str:
    """The page as Markdown, with this installation's address in it and a pointer in the place of each table of data."""
    text = (_FOLDER / f"{slug}.md").read_text(encoding="utf-8").replace("$BASE", settings.PUBLIC_URL)
    return _DATA_FENCE.sub(rf"(The table of \1 stands at {settings.PUBLIC_URL}/docs/{slug}/.)", text)
