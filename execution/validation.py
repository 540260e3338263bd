"""Runs a serializer over a body's JSON object; what is wrong with it leaves as one `InvalidRequest`."""

from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework import serializers

from config.errors import FieldError, InvalidRequest
from execution.json_body import printable


def validated(serializer: serializers.Serializer[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as the serializer takes them. Raises InvalidRequest with an error for each that is wrong.

    The serializer holds no state between calls: one for all requests saves copying its fields for each.
    """
    try:
        fields: dict[str, Any] = serializer.run_validation(data)
    except serializers.ValidationError as error:
        raise _invalid(list(_field_errors(error.detail))) from None
    return fields


def _invalid(errors: list[FieldError]) -> InvalidRequest:
    """The refusal; its sentence tells the first error, for those who only print that."""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return InvalidRequest(f"{errors[0].field}: {errors[0].error}{more}", errors=errors)


def _field_errors(detail: Any, path: str = "") -> Iterator[FieldError]:
    """The leaves of the serializer's nested errors, each with its path: `files.lib/a.py`, `args.3`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _field_errors(inner, f"{path}.{printable(name)}" if path else printable(name))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _field_errors(inner, path)
    else:
        yield FieldError(path, str(detail))
