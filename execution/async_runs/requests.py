"""The body of `POST /api/run-code/`: that of a synchronous run, and what becomes of its result."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rest_framework import serializers

from execution.fields import Anything, Flag
from execution.program_fields import KB, optional
from execution.requests import RunRequest
from execution.validation import validated

EXTRA_PARAMS_BYTES: Final = 100 * KB
EXTRA_PARAMS_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class AsyncRequest:
    """`extra_params` are handed back with the result. With `poll` the result is fetched, and not sent."""

    run: RunRequest
    extra_params: dict[str, Any] | None
    poll: bool

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "AsyncRequest":
        """From a body's JSON object. Raises InvalidRequest with an error for each field that is wrong."""
        run = RunRequest.from_data(data)
        fields = validated(_SERIALIZER, data)
        return cls(run, fields.get("extra_params"), bool(fields.get("poll")))


class AsyncSerializer(serializers.Serializer[Any]):
    """What an asynchronous run has beside the fields of a synchronous one."""

    extra_params = Anything(**optional(help_text="Given back with the result, untouched."))
    poll = Flag(**optional(help_text="`true`: the result is fetched, and not sent."))

    def validate_extra_params(self, value: dict[str, Any] | None) -> dict[str, Any] | None:
        """It is written as JSON again, which can be done with no more depth than it can be read with."""
        if _deeper_than(EXTRA_PARAMS_DEPTH, value):
            raise serializers.ValidationError(f"Is nested more than {EXTRA_PARAMS_DEPTH} deep.")
        size = len(json.dumps(value))
        if size > EXTRA_PARAMS_BYTES:
            raise serializers.ValidationError(
                f"Has {size:,} bytes of JSON; at most {EXTRA_PARAMS_BYTES:,} are allowed."
            )
        return value


def _deeper_than(depth: int, value: Any) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_deeper_than(depth - 1, each) for each in inner)


_SERIALIZER: Final = AsyncSerializer()
