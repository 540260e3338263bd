"""What a context is asked and what it answers: cells of a program that remembers, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from execution.sandbox.job import MIB

# What the items of one cell may be, all together; a cell that shows more is interrupted.
MOST_ITEMS = 256
MOST_ITEM_BYTES = 16 * MIB


class CellOutcome(StrEnum):
    """How a cell ended. After the last two its context has lost its state and waits to be restarted."""

    SUCCESS = "success"
    ERROR = "error"
    TIME_LIMIT = "time_limit"
    OUTPUT_LIMIT = "output_limit"
    INTERRUPTED = "interrupted"
    MEMORY_LIMIT = "memory_limit"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Cell:
    """One piece of code for a context. `env` is set before it runs and stays set. `streamed`: its standard input stays
    open after `stdin`, for a watcher who feeds it; otherwise asking for input is an error that says so."""

    code: str
    seconds: float = 30.0
    stdin: bytes = b""
    streamed: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    output_bytes: int = 1 * MIB


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a cell showed: MIME type → text, base64 text or JSON. `primary` is the value of the cell itself.
    An item with the `display_id` of an earlier one and `update` takes that one's place."""

    data: Mapping[str, Any]
    primary: bool = False
    display_id: str = ""
    update: bool = False


@dataclass(frozen=True, slots=True)
class CellError:
    """The exception that ended a cell, in its language's words; the traceback without terminal colours."""

    name: str
    value: str
    traceback: str


@dataclass(frozen=True, slots=True)
class CellResult:
    """How a cell ended. `count` numbers the cells of a context from 1; `memory_bytes` is the peak of the context so
    far, `cpu_seconds` the cell's own."""

    outcome: CellOutcome
    count: int
    items: tuple[Item, ...]
    stdout: bytes
    stderr: bytes
    stdout_truncated: bool
    stderr_truncated: bool
    error: CellError | None
    wall_seconds: float
    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class ContextInfo:
    """A live context. `state` is "idle", "busy" or "ended" (it has lost its state and waits to be restarted). Times
    are seconds since the epoch."""

    id: str
    kernel: str
    state: str
    count: int
    waiting: int
    opened_at: float
    used_at: float
    expires_at: float
    memory_bytes: int
