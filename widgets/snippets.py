"""The lines of HTML that put a widget into a page."""

from html import escape

from django.conf import settings

from widgets.models import DEFAULT_COMPILER, DEFAULT_HEIGHT, Widget


def attributes_of(widget: Widget) -> dict[str, str]:
    """The element's `data-` attributes; what is as it would be anyway is left out."""
    attributes = {"data-key": widget.key.value}
    if widget.compiler != DEFAULT_COMPILER:
        attributes["data-lang"] = widget.compiler
    if widget.theme != Widget.Theme.DARK:
        attributes["data-theme"] = widget.theme
    if widget.height != DEFAULT_HEIGHT:
        attributes["data-height"] = str(widget.height)
    return attributes


def snippet_of(widget: Widget) -> str:
    """HTML to be copied into a page: the element with its program, and the script."""
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in attributes_of(widget).items())
    program = f"\n{escape(widget.program.rstrip(), quote=False)}\n" if widget.program else ""
    return (
        f'<div class="runcode"{attributes}>{program}</div>\n'
        f'<script src="{escape(settings.PUBLIC_URL)}/widget.js"></script>\n'
    )
