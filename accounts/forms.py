"""Forms for keys. A form's `cleaned_data` are exactly the arguments of the operation that it is for:

key, plain_key = create_api_key(organisation=..., created_by=..., **form.cleaned_data)
create_websocket_key(organisation=..., created_by=..., **form.cleaned_data)
change_api_key(key=key, **ApiKeyForm(request.POST, initial=ApiKeyForm.values_of(key)).cleaned_data)
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import ApiKey, WebSocketKey
from accounts.restrictions import parse_network, parse_origin

MOST_RULES = 50
_SEPARATORS = re.compile(r"[\s,;]+")


class ListField(forms.CharField):
    """Several values in one text area, one a line (or between commas); cleans to a list in their canonical form."""

    widget = forms.Textarea

    def __init__(self, *, parse: Callable[[str], object], **kwargs: Any) -> None:
        self._parse = parse
        super().__init__(**{"required": False, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        found: dict[str, None] = {}
        errors = []
        for text in filter(None, _SEPARATORS.split(super().clean(value))):
            try:
                found[str(self._parse(text))] = None
            except ValueError as error:
                errors.append(str(error))
        if errors:
            raise ValidationError(errors)
        if len(found) > MOST_RULES:
            raise ValidationError(f"At most {MOST_RULES} entries, these are {len(found)}.")
        return list(found)


class FutureField(forms.DateTimeField):
    """A moment to come, in UTC; may be left empty."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(**{"required": False, "widget": widget, **kwargs})

    def clean(self, value: Any) -> Any:
        moment = super().clean(value)
        if moment is not None and moment <= timezone.now():
            raise ValidationError("This moment has passed. Choose a later one, or leave it empty.")
        return moment


def absolute_url(value: str) -> None:
    """Raises ValidationError unless `value` is an absolute http or https address that a request can be sent to."""
    refusal = ValidationError("Write a whole address, like https://example.com/results.")
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise refusal from None
    if parts.scheme not in ("http", "https") or not host or not value.isprintable() or " " in value or "\\" in value:
        raise refusal
    if parts.username is not None or parts.password is not None:
        raise ValidationError("Leave the name and the password out of the address.")
    if parts.fragment:
        raise ValidationError("Leave out what follows the “#”: it is never sent.")


class KeyForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="To tell your keys apart.")
    networks = ListField(
        parse=parse_network,
        label="Allowed networks",
        help_text="One a line, like 203.0.113.0/24. Empty: any address.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "placeholder": "203.0.113.0/24"}),
    )
    origins = ListField(
        parse=parse_origin,
        label="Allowed web origins",
        help_text="One a line, like https://example.com, example.com or *.example.com. Empty: any page.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "placeholder": "https://example.com"}),
    )
    expires_at = FutureField(label="Expires", help_text="In UTC. Empty: never.")

    @staticmethod
    def values_of(key: ApiKey | WebSocketKey) -> dict[str, Any]:
        """The form's `initial` for changing an existing key."""
        values = {name: getattr(key, name) for name in ("name", "networks", "origins", "expires_at")}
        return {**values, "redirect_url": key.redirect_url} if isinstance(key, ApiKey) else values


class ApiKeyForm(KeyForm):
    redirect_url = forms.CharField(
        label="Redirect URL",
        max_length=2000,
        required=False,
        validators=[absolute_url],
        help_text="Where the results of asynchronous runs are sent. Empty: they can be fetched.",
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/results"}),
    )


class WebSocketKeyForm(KeyForm):
    pass
