"""The frames that a client sends to /ws/run/, and what those of every WebSocket have in common, checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rest_framework import serializers

from config.errors import ApiError, FieldError, InvalidRequest
from execution.fields import Flag, Text, Word
from execution.json_body import object_of, printable
from execution.program_fields import INPUT_BYTES, optional
from execution.requests import RunRequest
from execution.validation import validated

# What a client may send once it is ready.
TYPES: Final = ("run", "input", "input_end", "stop", "ping")
ID_CHARACTERS: Final = 100
# A key has some dozens of characters; nobody's megabytes are read before it is known whose they are.
KEY_CHARACTERS: Final = 1000


@dataclass(frozen=True, slots=True)
class Hello:
    """Who the client says it is. `widget`: it is our own editor, which the history tells apart. `said` is the frame
    that it said it in, empty where a header did."""

    key: str
    widget: bool = False
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunFrame:
    """A program to run. `id` is the client's own name for the run, None when it gave none."""

    id: str | None
    request: RunRequest
    interactive: bool


def frame_of(message: Mapping[str, Any], types: Sequence[str] = TYPES) -> dict[str, Any]:
    """The JSON object of an ASGI `websocket.receive`, with its `type`, a string. `types` are what may be sent. Raises
    InvalidRequest."""
    text = message.get("text")
    if text is None:
        raise _invalid("", "Frames are text, not binary.")
    frame = object_of(text, "frame")
    if not isinstance(frame.get("type"), str):
        raise _invalid("type", f"Must be a string that says what this frame is: one of {', '.join(types)}.")
    return frame


def hello_of(frame: Mapping[str, Any]) -> Hello:
    """An `auth` frame. Raises InvalidRequest."""
    key = frame.get("key")
    if not isinstance(key, str) or not key or len(key) > KEY_CHARACTERS:
        raise _invalid("key", "Must be your WebSocket key.")
    return Hello(key, widget=frame.get("client") == "widget", said=frame)


def id_of(frame: Mapping[str, Any]) -> str | None:
    """The `id` of a `run` frame, for what is said about it; None where it is none, or not one to be repeated."""
    name = frame.get("id")
    return name if isinstance(name, str) and id_error(name) is None else None


def run_of(frame: Mapping[str, Any]) -> RunFrame:
    """A `run` frame. Raises InvalidRequest with an error for each field that is wrong."""
    fields = validated(_RUN, frame)
    request = RunRequest.from_data(frame)
    return RunFrame(fields.get("id"), request, fields.get("interactive") or False)


def input_of(frame: Mapping[str, Any]) -> bytes:
    """The bytes of an `input` frame. Raises InvalidRequest."""
    data: bytes = validated(_INPUT, frame)["data"]
    return data


def unknown(frame: Mapping[str, Any], types: Sequence[str] = TYPES) -> InvalidRequest:
    return _invalid("type", f"“{printable(frame['type'])}” is no frame; send one of {', '.join(types)}.")


def broken() -> ApiError:
    """What is said of a fault of ours."""
    return ApiError("Something broke on our side; this run is not counted. Try again in a moment.")


def id_error(name: str) -> str | None:
    """What is wrong with the name of a run, or None."""
    if len(name) > ID_CHARACTERS:
        return f"Has {len(name):,} characters; at most {ID_CHARACTERS} are allowed."
    return None if name.isascii() and name.isprintable() else "Must be printable ASCII."


class _RunSerializer(serializers.Serializer[Any]):
    """What a `run` frame has beside the fields of a request."""

    id = Word(check=id_error, **optional())
    interactive = Flag(**optional())


class _InputSerializer(serializers.Serializer[Any]):
    data = Text(limit=INPUT_BYTES)  # type: ignore[assignment]


_RUN: Final = _RunSerializer()
_INPUT: Final = _InputSerializer()


def _invalid(field: str, text: str) -> InvalidRequest:
    message = f"{field}: {text}" if field else text
    return InvalidRequest(message, errors=[FieldError(field, text)])
