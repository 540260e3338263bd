"""The JSON object of a request's body, read strictly: what two readers could understand differently is refused."""

import json
import math
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from django.http import HttpRequest

from config.errors import FieldError, InvalidRequest, UnsupportedMediaType

_CHARSETS: Final = frozenset({"", "utf-8", "utf8", "us-ascii"})


class _Unfit(ValueError):
    """JSON by the letter, yet not fit to be acted on; the text says why."""


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The body as a dictionary. Raises UnsupportedMediaType and InvalidRequest (field "", the whole body).

    Refused beside broken JSON: a key that stands twice in one object, NaN and Infinity, numbers no float can
    hold, nesting that is too deep, bytes that are not UTF-8. A body without a Content-Type is taken for JSON.
    """
    _check_content_type(request)
    body = request.body
    if not body.strip():
        raise _invalid("The body is empty; send a JSON object.")
    try:
        # The signature that some clients on Windows put in front is no part of the text.
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(f"The body is not UTF-8 (byte {error.start}).") from None
    return object_of(text, "body")


def object_of(text: str, what: str) -> dict[str, Any]:
    """The JSON object that `text` is, read as strictly; `what` it is in errors: "body", "frame"."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise _invalid(f"The {what} is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except _Unfit as error:
        raise _invalid(str(error)) from None
    except RecursionError:
        raise _invalid(f"The {what} is nested too deeply.") from None
    except ValueError:
        # Python's own limit on the digits of an integer.
        raise _invalid(f"The {what} holds a number with too many digits.") from None
    if not isinstance(value, dict):
        raise _invalid(f"The {what} must be a JSON object.")
    return value


def _check_content_type(request: HttpRequest) -> None:
    content_type = request.content_type or ""
    if content_type and content_type != "application/json" and not content_type.endswith("+json"):
        hint = "Send the header Content-Type: application/json"
        if content_type == "application/x-www-form-urlencoded":
            hint += ' (curl: -H "Content-Type: application/json")'
        raise UnsupportedMediaType(f"The body must be JSON, not {printable(content_type)}. {hint}.")
    charset = (request.content_params or {}).get("charset", "").strip("\"'").lower()
    if charset not in _CHARSETS:
        raise UnsupportedMediaType(f"JSON is UTF-8, not {printable(charset)}. Leave the charset out.")


def printable(text: str) -> str:
    """`text` fit for a message: cut to 100 characters, and without half surrogate pairs, which no UTF-8 can carry."""
    return text[:100].encode("utf-8", "backslashreplace").decode()


def _invalid(text: str) -> InvalidRequest:
    return InvalidRequest(text, errors=[FieldError("", text)])


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Unfit(f"The key “{printable(key)}” stands twice in one object.")
        found[key] = value
    return found


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _Unfit("It holds a number that is too large.")
    return value


def _constant(name: str) -> NoReturn:
    raise _Unfit(f"{name} is not JSON.")
