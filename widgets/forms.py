"""The form for a widget. Its `cleaned_data` are the arguments of `create_widget` and `change_widget`."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.forms import WebSocketKeyForm
from execution.catalogue import COMPILERS, installed
from execution.program_fields import CODE_BYTES
from widgets.models import DEFAULT_COMPILER, DEFAULT_HEIGHT, Widget

LEAST_HEIGHT = 220
MOST_HEIGHT = 2000


class WidgetForm(WebSocketKeyForm):
    compiler = forms.ChoiceField(label="Language", initial=DEFAULT_COMPILER)
    theme = forms.ChoiceField(choices=Widget.Theme.choices, initial=Widget.Theme.DARK)
    height = forms.IntegerField(
        min_value=LEAST_HEIGHT,
        max_value=MOST_HEIGHT,
        initial=DEFAULT_HEIGHT,
        help_text="In pixels.",
        widget=forms.NumberInput(attrs={"step": 10}),
    )
    program = forms.CharField(
        label="First program",
        required=False,
        strip=False,
        help_text="What stands in the editor at first. Empty: the language’s sample.",
        widget=forms.Textarea(
            attrs={"rows": 6, "wrap": "off", "spellcheck": "false", "autocapitalize": "off", "class": "mono"}
        ),
    )
    field_order = ["name", "origins", "compiler", "theme", "height", "program", "networks", "expires_at"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = installed(settings.RUNCODE_HOME)
        field = self.fields["compiler"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = [
            (compiler.id, compiler.name if compiler.id in here else f"{compiler.name} – not installed here")
            for compiler in COMPILERS.values()
        ]

    def clean_program(self) -> str:
        # Browsers end the lines of a text area with CR LF.
        program: str = self.cleaned_data["program"].replace("\r\n", "\n")
        if len(program.encode()) > CODE_BYTES:
            raise ValidationError(f"A program has at most {CODE_BYTES // 1024} KB.")
        return program if program.strip() else ""

    @classmethod
    def values_of_widget(cls, widget: Widget) -> dict[str, Any]:
        """The form's `initial` for changing an existing widget."""
        own = {name: getattr(widget, name) for name in ("compiler", "theme", "height", "program")}
        return {**cls.values_of(widget.key), **own}
