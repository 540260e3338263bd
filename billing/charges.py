"""What is billed for one run, and how that reads as a line of the journal."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from billing.periods import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUsage:
    """How a run went, as its surface reports it. `started_at` is aware; memory is the peak in bytes."""

    compiler: str
    outcome: str
    started_at: datetime
    wall_seconds: float
    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One run to bill. It counts for the period in which it was admitted, even when it ends in the next."""

    run_id: UUID
    organisation_id: int
    period: Period
    key_id: int
    key_kind: str
    usage: RunUsage

    def to_json(self) -> dict[str, Any]:
        usage = self.usage
        return {
            "run": self.run_id.hex,
            "organisation": self.organisation_id,
            "period": [self.period.start, self.period.end],
            "key": [self.key_kind, self.key_id],
            "compiler": usage.compiler,
            "outcome": usage.outcome,
            "started": usage.started_at.timestamp(),
            "seconds": [usage.wall_seconds, usage.cpu_seconds],
            "memory": usage.memory_bytes,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Charge":
        """Raises LookupError, TypeError or ValueError for what `to_json` never wrote."""
        kind, key_id = data["key"]
        wall_seconds, cpu_seconds = data["seconds"]
        return cls(
            run_id=UUID(hex=data["run"]),
            organisation_id=data["organisation"],
            period=Period(*data["period"]),
            key_id=key_id,
            key_kind=kind,
            usage=RunUsage(
                compiler=data["compiler"],
                outcome=data["outcome"],
                started_at=datetime.fromtimestamp(data["started"], UTC),
                wall_seconds=wall_seconds,
                cpu_seconds=cpu_seconds,
                memory_bytes=data["memory"],
            ),
        )
