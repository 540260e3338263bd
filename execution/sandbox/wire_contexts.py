"""Messages about contexts, in the frames of `wire`.

context_open       scope, kernel, limits, idle_seconds, most        → context
context_execute    scope, id, the cell; live: `output`, `item` …    → executed
context_interrupt, context_restart, context_info   scope, id        → context
context_close      scope, id                                        → closed
context_list       scope                                            → contexts
context_fit        scope, limits, idle_seconds, most                → contexts
context_files      scope, id                                        → files
context_file_read, context_file_remove   scope, id, path            → file, with its content; done
context_file_write   scope, id, path, the content                   → done
"""

from dataclasses import asdict
from typing import Any

from execution.sandbox import wire
from execution.sandbox.cells import Cell, CellError, CellOutcome, CellResult, ContextInfo, Item
from execution.sandbox.context_files import ContextFile, FileList
from execution.sandbox.job import Limits

OPEN = "context_open"
EXECUTE = "context_execute"
INTERRUPT = "context_interrupt"
RESTART = "context_restart"
INFO = "context_info"
CLOSE = "context_close"
LIST = "context_list"
FIT = "context_fit"
FILES = "context_files"
READ_FILE, WRITE_FILE, REMOVE_FILE = "context_file_read", "context_file_write", "context_file_remove"
KINDS = frozenset(
    {OPEN, EXECUTE, INTERRUPT, RESTART, INFO, CLOSE, LIST, FIT, FILES, READ_FILE, WRITE_FILE, REMOVE_FILE}
)


def encode_open(*, scope: str, kernel: str, limits: Limits, idle_seconds: float, most: int) -> bytes:
    fields = {"scope": scope, "kernel": kernel, "limits": asdict(limits), "idle_seconds": idle_seconds, "most": most}
    return wire.encode(OPEN, fields)


def encode_fit(*, scope: str, limits: Limits, idle_seconds: float, most: int) -> bytes:
    return wire.encode(FIT, {"scope": scope, "limits": asdict(limits), "idle_seconds": idle_seconds, "most": most})


def encode_execute(*, scope: str, context_id: str, cell: Cell, live: bool) -> bytes:
    fields = {
        "scope": scope,
        "id": context_id,
        "seconds": cell.seconds,
        "streamed": cell.streamed,
        "env": dict(cell.env),
        "output_bytes": cell.output_bytes,
        "live": live,
    }
    return wire.encode(EXECUTE, fields, cell.code.encode("utf-8", "surrogatepass"), cell.stdin)


def decode_cell(message: wire.Message) -> Cell:
    code, stdin = message.blobs
    fields = message.fields
    return Cell(
        code=code.decode("utf-8", "surrogatepass"),
        seconds=fields["seconds"],
        stdin=stdin,
        streamed=fields["streamed"],
        env=fields["env"],
        output_bytes=fields["output_bytes"],
    )


def encode_item(item: Item) -> bytes:
    return wire.encode("item", {"item": asdict(item)})


def decode_item(message: wire.Message) -> Item:
    return Item(**message.fields["item"])


_PLAIN = "count stdout_truncated stderr_truncated wall_seconds cpu_seconds memory_bytes".split()


def encode_executed(result: CellResult) -> bytes:
    fields: dict[str, Any] = {
        "outcome": result.outcome.value,
        "items": [asdict(item) for item in result.items],
        "error": None if result.error is None else asdict(result.error),
        **{name: getattr(result, name) for name in _PLAIN},
    }
    return wire.encode("executed", fields, result.stdout, result.stderr)


def decode_executed(message: wire.Message) -> CellResult:
    stdout, stderr = message.blobs
    fields = message.fields
    return CellResult(
        outcome=CellOutcome(fields["outcome"]),
        items=tuple(Item(**item) for item in fields["items"]),
        error=None if fields["error"] is None else CellError(**fields["error"]),
        stdout=stdout,
        stderr=stderr,
        **{name: fields[name] for name in _PLAIN},
    )


def encode_context(info: ContextInfo) -> bytes:
    return wire.encode("context", {"context": asdict(info)})


def decode_context(message: wire.Message) -> ContextInfo:
    return ContextInfo(**message.fields["context"])


def encode_contexts(infos: list[ContextInfo]) -> bytes:
    return wire.encode("contexts", {"contexts": [asdict(info) for info in infos]})


def decode_contexts(message: wire.Message) -> list[ContextInfo]:
    return [ContextInfo(**fields) for fields in message.fields["contexts"]]


def encode_files(files: FileList) -> bytes:
    rows = [[file.path, file.size, file.modified_at] for file in files]
    return wire.encode("files", {"files": rows, "complete": files.complete})


def decode_files(message: wire.Message) -> FileList:
    files = FileList(ContextFile(*row) for row in message.fields["files"])
    files.complete = message.fields["complete"]
    return files
