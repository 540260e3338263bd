"""What a client may ask of `POST /execute`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rest_framework import serializers

from execution.contexts.languages import DEFAULT, KERNEL_OF
from execution.fields import Choice, Seconds, Text, Word
from execution.program_fields import CODE_BYTES, INPUT_BYTES, check_env_size, env_field, optional
from execution.validation import validated

TIMEOUT_SECONDS: Final = 30.0
ID_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteRequest:
    """A valid request. `kernel` is the language's, None where none was named; `timeout` is in seconds."""

    code: str
    context_id: str | None = None
    kernel: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float = TIMEOUT_SECONDS
    input: bytes = b""

    @property
    def kernel_or_default(self) -> str:
        return self.kernel or DEFAULT

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "ExecuteRequest":
        """From a body's JSON object. Raises InvalidRequest with an error for each field that is wrong."""
        fields = validated(_SERIALIZER, data)
        code: bytes = fields["code"]
        language: str | None = fields.get("language")
        timeout: float | None = fields.get("timeout_ms")
        return cls(
            code=code.decode(),
            context_id=fields.get("context_id"),
            kernel=None if language is None else KERNEL_OF[language],
            env=fields.get("env_vars") or {},
            timeout=TIMEOUT_SECONDS if timeout is None else timeout,
            input=fields.get("input") or b"",
        )


def _id_error(name: str) -> str | None:
    return None if 0 < len(name) <= ID_CHARACTERS else "Must be the id of a context, as an earlier answer gave it."


class ExecuteSerializer(serializers.Serializer[Any]):
    """The fields as they stand in the body; docs/contexts.md explains them."""

    code = Text(limit=CODE_BYTES, help_text="The cell, at most 100 KB of UTF-8.")
    context_id = Word(check=_id_error, **optional(help_text="The context to run it in; a new one is made without."))
    language = Choice(
        "language",
        among=tuple(KERNEL_OF),
        **optional(help_text="The language of a new context: Python when left out."),
    )
    env_vars = env_field()
    timeout_ms = Seconds(
        unit="milliseconds",
        **optional(help_text="Milliseconds, 30000 when left out; lowers your plan’s limit, never raises it."),
    )
    input = Text(limit=INPUT_BYTES, **optional(help_text="What input() reads, at most 100 KB; refused without."))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What concerns all variables at once."""
        try:
            check_env_size(attrs.get("env_vars") or {})
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"env_vars": error.detail["env"]}) from None  # type: ignore[call-overload]
        return attrs


_SERIALIZER: Final = ExecuteSerializer()
