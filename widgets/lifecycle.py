"""The life of a widget: made with a key of its own, changed together with it, ended by revoking it."""

from typing import Any

from django.db import transaction

from accounts.key_lifecycle import change_websocket_key, create_websocket_key
from accounts.models import Organisation, User
from widgets.models import Widget


def create_widget(
    *,
    organisation: Organisation,
    created_by: User | None,
    compiler: str,
    theme: str,
    height: int,
    program: str,
    **key: Any,
) -> Widget:
    """`key` is what `create_websocket_key` takes: name, networks, origins, expires_at."""
    with transaction.atomic():
        made = create_websocket_key(organisation=organisation, created_by=created_by, **key)
        return Widget.objects.create(key=made, compiler=compiler, theme=theme, height=height, program=program)


def change_widget(*, widget: Widget, compiler: str, theme: str, height: int, program: str, **key: Any) -> None:
    """Replaces what may be changed of a widget and of its key; the key itself stays."""
    with transaction.atomic():
        change_websocket_key(key=widget.key, **key)
        widget.compiler, widget.theme, widget.height, widget.program = compiler, theme, height, program
        widget.save(update_fields=["compiler", "theme", "height", "program"])
