"""The Socket.IO events' data: what a `runcode` asks for, and the `codeoutput` that refuses it."""

from collections.abc import Mapping
from dataclasses import dataclass
from secrets import compare_digest
from typing import Any, Final

from rest_framework import serializers

from config.errors import ApiError, FieldError, InvalidRequest, PermissionDenied
from execution.fields import Flag, Text, Word
from execution.program_fields import INPUT_BYTES, optional
from execution.realtime.frames import id_error
from execution.requests import RunRequest
from execution.validation import validated


@dataclass(frozen=True, slots=True)
class RunCode:
    """`id` is the client's own name for the run, repeated in its `codeoutput`; None when it gave none.

    `live`: the client wants to see the output while the program runs. `interactive`: and to feed its standard input.
    """

    id: str | None
    request: RunRequest
    live: bool
    interactive: bool


def data_of(arguments: tuple[Any, ...]) -> dict[str, Any]:
    """The object that an event carries, its first argument. Raises InvalidRequest."""
    data = arguments[0] if arguments else None
    if not isinstance(data, dict):
        raise _invalid("", "The event must carry an object.")
    return data


def run_code_of(data: Mapping[str, Any], *, key: str) -> RunCode:
    """Raises InvalidRequest, and PermissionDenied for an `api_key` that is not the `key` the client connected with."""
    fields = validated(_RUNCODE, data)
    named = fields.get("api_key")
    if named is not None and not compare_digest(named.encode(), key.encode()):
        raise PermissionDenied("api_key: Is not the key that this connection was opened with.", code="foreign_key")
    live = fields.get("live") or False
    interactive = fields.get("interactive")
    if interactive and not live:
        raise _invalid("interactive", "Goes only with `live`.")
    request = RunRequest.from_data(data)
    return RunCode(fields.get("id"), request, live, live if interactive is None else interactive)


def input_of(arguments: tuple[Any, ...]) -> bytes:
    """The text of an `input` event, given as it is or as the `data` of an object. Raises InvalidRequest."""
    first = arguments[0] if arguments else None
    text: bytes = validated(_INPUT, first if isinstance(first, dict) else {"data": first})["data"]
    return text


def refusal_of(error: ApiError) -> dict[str, Any]:
    """A result in which nothing ran: the eight fields of any result, the reason in `error`."""
    return {
        "output": "",
        "error": error.message,
        "status": "error",
        "exit_code": None,
        "signal": None,
        "time": NO_TIME,
        "total": NO_TIME,
        "memory": "0",
    }


NO_TIME: Final = "0.0000"


class _RunCodeSerializer(serializers.Serializer[Any]):
    """What `runcode` has beside the fields of a request."""

    api_key = Word(**optional())
    id = Word(check=id_error, **optional())
    live = Flag(**optional())
    interactive = Flag(**optional())


class _InputSerializer(serializers.Serializer[Any]):
    data = Text(limit=INPUT_BYTES)  # type: ignore[assignment]


_RUNCODE: Final = _RunCodeSerializer()
_INPUT: Final = _InputSerializer()


def _invalid(field: str, text: str) -> InvalidRequest:
    message = f"{field}: {text}" if field else text
    return InvalidRequest(message, errors=[FieldError(field, text)])
