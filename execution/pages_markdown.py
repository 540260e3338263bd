"""Markdown of `docs/` to HTML: anchors on headings, code coloured by classes, file links made page links.

The HTML needs neither inline style nor inline script, so it stands under the site's content security policy.
Placeholders in the files are the ones a shell reader would type: `$BASE` is the installation's address,
`$API_KEY`, `$WS_KEY` and `$SECRET` are the reader's own, and marked so that the page can show them as blanks. A fence
marked `data NAME` is a table that is made from the service's own data when the page is shown."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_by_name
from pygments.util import ClassNotFound

LABELS = {"sh": "Shell", "python": "Python", "js": "JavaScript", "json": "JSON", "html": "HTML", "text": "Text",
          "http": "HTTP", "cpp": "C++", "c": "C", "ini": "Environment", "toml": "TOML", "yaml": "YAML", "php": "PHP",
          "ruby": "Ruby", "go": "Go", "java": "Java", "ts": "TypeScript"}  # fmt: skip

_formatter = HtmlFormatter(nowrap=True)
_file_link = re.compile(r"^([a-z0-9-]+)\.md(#.*)?$")
_reader_key = re.compile(r"\$(API_KEY|WS_KEY|SECRET)\b")
_data_marker = re.compile(r"<!--data:([a-z-]+)-->")


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """One rendered file: `title` is its first heading, `summary` the plain text of its first paragraph."""

    title: str
    summary: str
    html: str
    headings: tuple[Heading, ...]

    @property
    def lead(self) -> str:
        """The first sentence of the summary."""
        first, ending, _ = self.summary.partition(". ")
        return first + ending.strip()

    @property
    def sections(self) -> list[Heading]:
        """The headings for the table of contents beside the page."""
        return [heading for heading in self.headings if heading.level == 2]


def highlighted(code: str, language: str) -> SafeString:
    """The code as HTML with Pygments' short classes; an unknown language is shown plain."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    html = highlight(code, lexer, _formatter).rstrip("\n")
    # The wish is to mark the reader's own values wherever they stand, within a string as well as alone.
    return mark_safe(_reader_key.sub(r'<span data-fill="\1">$\1</span>', html))  # noqa: S308 - Pygments escapes


def figure(code: str, language: str) -> SafeString:
    """A captioned block of code; the copy button comes from site.js."""
    label = LABELS.get(language, language.capitalize() or "Text")
    return mark_safe(  # noqa: S308 - the parts are escaped above
        f'<figure class="code"><figcaption class="code__head"><span>{escape(label)}</span></figcaption>'
        f'<pre tabindex="0"><code>{highlighted(code.rstrip(), language)}</code></pre></figure>\n'
    )


def inline(text: str) -> SafeString:
    """One line of Markdown, without a paragraph around it."""
    html: str = _markdown.renderInline(text)
    return mark_safe(html)  # noqa: S308 - HTML in it is shown as text


def render(text: str) -> Document:
    """Renders one file of `docs/`. HTML in the file is shown as text, never passed through."""
    tokens = _markdown.parse(text)
    headings = _anchor_headings(tokens)
    for token in tokens:
        _class_for_alignment(token)
        for child in token.children or ():
            _link_to_page(child)
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    title = next((heading.text for heading in headings if heading.level == 1), "")
    return Document(title=title, summary=_summary(tokens), html=html, headings=headings)


def fill(html: str, *, base: str, tables: Mapping[str, str]) -> SafeString:
    """Puts the installation's address and the data tables into rendered HTML."""
    html = html.replace("$BASE", escape(base))
    return mark_safe(_data_marker.sub(lambda match: tables[match[1]], html))  # noqa: S308 - escaped or rendered


def data_marker(name: str) -> str:
    """What stands in rendered HTML in the place of a table of data."""
    return f"<!--data:{name}-->"


def _anchor_headings(tokens: Sequence[Token]) -> tuple[Heading, ...]:
    headings: list[Heading] = []
    taken: set[str] = set()
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = _plain(inline)
        anchor = stem = slugify(text) or "section"
        number = 2
        while anchor in taken:
            anchor, number = f"{stem}-{number}", number + 1
        taken.add(anchor)
        opening.attrSet("id", anchor)
        headings.append(Heading(int(opening.tag[1]), anchor, text))
    return tuple(headings)


def _plain(inline: Token) -> str:
    return "".join(
        child.content if child.content else " " * (child.type == "softbreak") for child in inline.children or ()
    )


def _summary(tokens: Sequence[Token]) -> str:
    for opening, inline in pairwise(tokens):
        if opening.type == "paragraph_open" and opening.level == 0:
            return _plain(inline)
    return ""


def _class_for_alignment(token: Token) -> None:
    """The parser writes an inline style for an aligned column, which the policy forbids."""
    if token.type in {"th_open", "td_open"} and token.attrs.pop("style", None) == "text-align:right":
        token.attrSet("class", "number")


def _link_to_page(token: Token) -> None:
    if token.type == "link_open" and (match := _file_link.match(str(token.attrGet("href")))):
        token.attrSet("href", f"/docs/{match[1]}/{match[2] or ''}")


def _render_fence(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
    language, _, name = tokens[index].info.strip().partition(" ")
    if language == "data":
        return f"{data_marker(name)}\n"
    return figure(tokens[index].content, language)


def _render_heading_end(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
    opening = tokens[index - 2]
    if opening.tag == "h1":
        return "</h1>\n"
    text = escape(_plain(tokens[index - 1]))
    anchor = opening.attrGet("id")
    return f' <a class="anchor" href="#{anchor}" aria-label="Link to: {text}">#</a></{opening.tag}>\n'


def _render_table_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
    return '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>\n'


def _render_table_close(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
    return "</table></div>\n"


_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_markdown.add_render_rule("fence", _render_fence)
_markdown.add_render_rule("heading_close", _render_heading_end)
_markdown.add_render_rule("table_open", _render_table_open)
_markdown.add_render_rule("table_close", _render_table_close)
