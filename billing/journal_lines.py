"""The lines of a journal: a JSON object each, told apart by its only key.

    {"hold": …}    a run was admitted and holds this in the limiter; written only where that outlives the process
    {"charge": …}  a run is to be billed

A line counts once its newline is written. What follows the last newline is the start of a line whose process died
over it, before it could answer anybody.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from accounts.ratelimits import Held
from billing.charges import Charge


@dataclass(frozen=True, slots=True)
class HoldLine:
    """What a run held when it was admitted (see accounts.ratelimits.Hold)."""

    scope: str
    held: tuple[Held, ...]

    def to_json(self) -> dict[str, Any]:
        return {"scope": self.scope, "held": [[each.kind, each.name, each.member, each.seconds] for each in self.held]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "HoldLine":
        return cls(data["scope"], tuple(Held(*each) for each in data["held"]))


Line = HoldLine | Charge


class DamagedLine(ValueError):
    """A whole line that no version of this code has written."""


def encode(line: Line) -> bytes:
    kind = "charge" if isinstance(line, Charge) else "hold"
    return json.dumps({kind: line.to_json()}, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Line:
    """Raises DamagedLine."""
    try:
        ((kind, data),) = json.loads(line).items()
        return Charge.from_json(data) if kind == "charge" else HoldLine.from_json(data)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DamagedLine(str(error)) from error


def whole_lines(content: bytes) -> Iterator[bytes]:
    """The lines that were written to their end."""
    yield from content[: content.rfind(b"\n") + 1].splitlines()
