"""The frames that a client sends to /ws/contexts/{id}, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from rest_framework import serializers

from execution.contexts.languages import DEFAULT, KERNEL_OF
from execution.contexts.requests import ExecuteRequest
from execution.fields import Choice, Flag, Word
from execution.program_fields import optional
from execution.realtime.frames import id_error
from execution.validation import validated

# What a client may send once it is ready.
TYPES: Final = ("execute", "input", "input_end", "interrupt", "restart", "ping")


@dataclass(frozen=True, slots=True)
class ExecuteFrame:
    """A cell to run. `id` is the client's own name for it, None when it gave none. `interactive`: its standard input
    stays open, for the client to answer what it asks."""

    id: str | None
    request: ExecuteRequest
    interactive: bool


def execute_of(frame: Mapping[str, Any], context_id: str) -> ExecuteFrame:
    """An `execute` frame, for the connection's context whatever it says. Raises InvalidRequest with an error for each
    field that is wrong."""
    fields = validated(_EXECUTE, frame)
    request = replace(ExecuteRequest.from_data(frame), context_id=context_id)
    return ExecuteFrame(fields.get("id"), request, fields.get("interactive") or False)


def kernel_of(said: Mapping[str, Any]) -> str:
    """The kernel of a new context: `language` as an `auth` frame, or the address, says it. Raises InvalidRequest."""
    return KERNEL_OF[validated(_LANGUAGE, said).get("language") or DEFAULT]


class _ExecuteSerializer(serializers.Serializer[Any]):
    """What an `execute` frame has beside the fields of a request."""

    id = Word(check=id_error, **optional())
    interactive = Flag(**optional())


class _LanguageSerializer(serializers.Serializer[Any]):
    language = Choice("language", among=tuple(KERNEL_OF), **optional())


_EXECUTE: Final = _ExecuteSerializer()
_LANGUAGE: Final = _LanguageSerializer()
