"""Messages between clients and the supervisor: `u32 length, u32 header length, header (JSON), blobs`, big-endian.

The length counts what follows it. A header names its blobs by size, in order, under `blobs`. A client sends `run` and
gets one `result` or `error`; or `status` and gets `status`. A connection carries one request at a time, and closing it
cancels that request.

While a `run` with `live` is under way, `state` and `output` come before its answer, and the client may send `input` and
`input_end`, of which what comes too late is passed over. Who reads slowly holds the program back.

Requests about contexts are those of `wire_contexts`.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from execution.sandbox.errors import (
    ContextBusy,
    ContextEnded,
    ContextFileRefused,
    ContextFileUnknown,
    ContextsFull,
    ContextUnknown,
    SandboxError,
    SandboxUnavailable,
    ToolchainMissing,
)
from execution.sandbox.job import MIB, Job, Limits, Outcome, OutputFile, Result

_SIZES = struct.Struct("!II")
MOST_BYTES = 64 * MIB

_ERRORS = {
    "unavailable": SandboxUnavailable,
    "toolchain_missing": ToolchainMissing,
    "context_unknown": ContextUnknown,
    "context_ended": ContextEnded,
    "contexts_full": ContextsFull,
    "context_busy": ContextBusy,
    "context_file_unknown": ContextFileUnknown,
    "context_file_refused": ContextFileRefused,
    "failed": SandboxError,
}


class Message:
    """A decoded message: `kind`, the header's fields, and its blobs."""

    def __init__(self, kind: str, fields: Mapping[str, Any], blobs: list[bytes]) -> None:
        self.kind = kind
        self.fields = fields
        self.blobs = blobs


def encode(kind: str, fields: Mapping[str, Any], *blobs: bytes) -> bytes:
    header = json.dumps({"kind": kind, **fields, "blobs": [len(blob) for blob in blobs]}).encode()
    total = 4 + len(header) + sum(map(len, blobs))
    return b"".join((_SIZES.pack(total, len(header)), header, *blobs))


class Decoder:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes. Raises ValueError on what is no message."""
        self._buffer += data
        messages = []
        while len(self._buffer) >= _SIZES.size:
            total, header_size = _SIZES.unpack_from(self._buffer)
            if total > MOST_BYTES or header_size > total - 4:
                raise ValueError("a message of impossible size")
            if len(self._buffer) < 4 + total:
                break
            body = memoryview(self._buffer)[_SIZES.size : 4 + total]
            messages.append(_decode(body, header_size))
            body.release()
            del self._buffer[: 4 + total]
        return messages


def _decode(body: memoryview, header_size: int) -> Message:
    header = json.loads(bytes(body[:header_size]))
    try:
        kind, sizes = str(header.pop("kind")), [int(size) for size in header.pop("blobs")]
    except (AttributeError, KeyError, TypeError):
        raise ValueError("a message without kind or blobs") from None
    blobs, start = [], header_size
    for size in sizes:
        blobs.append(bytes(body[start : start + size]))
        start += size
    return Message(kind, header, blobs)


def encode_job(job: Job, *, live: bool = False) -> bytes:
    fields = {
        "compiler": job.compiler,
        "paths": list(job.files),
        "entrypoint": job.entrypoint,
        "args": job.args,
        "env": dict(job.env),
        "limits": asdict(job.limits),
        "output_files": job.output_files,
        "data_files": job.data_files,
        "cache": job.cache,
        "command": job.command,
        "live": live,
    }
    return encode("run", fields, job.stdin, *job.files.values())


def decode_job(message: Message) -> Job:
    stdin, *contents = message.blobs
    fields = message.fields
    return Job(
        compiler=fields["compiler"],
        files=dict(zip(fields["paths"], contents, strict=True)),
        entrypoint=fields["entrypoint"],
        stdin=stdin,
        args=tuple(fields["args"]),
        env=fields["env"],
        limits=Limits(**fields["limits"]),
        output_files=tuple(fields["output_files"]),
        data_files=tuple(fields["data_files"]),
        cache=fields["cache"],
        command=tuple(fields["command"]),
    )


_PLAIN = (
    "exit_code signal stdout_truncated stderr_truncated wall_seconds total_seconds cpu_seconds compile_seconds "
    "memory_bytes cached"
).split()


def encode_result(result: Result) -> bytes:
    fields = {
        "outcome": result.outcome.value,
        **{name: getattr(result, name) for name in _PLAIN},
        "files": [[file.path, file.size] for file in result.files],
    }
    contents = (file.content for file in result.files)
    return encode("result", fields, result.stdout, result.stderr, result.compile_output, *contents)


def decode_result(message: Message) -> Result:
    stdout, stderr, compile_output, *contents = message.blobs
    fields = message.fields
    return Result(
        outcome=Outcome(fields["outcome"]),
        stdout=stdout,
        stderr=stderr,
        compile_output=compile_output,
        files=tuple(OutputFile(p, s, c) for (p, s), c in zip(fields["files"], contents, strict=True)),
        **{name: fields[name] for name in _PLAIN},
    )


def encode_error(error: SandboxError) -> bytes:
    code = next((code for code, kind in _ERRORS.items() if type(error) is kind), "failed")
    return encode("error", {"code": code, "message": str(error)})


def decode_error(message: Message) -> SandboxError:
    return _ERRORS[message.fields["code"]](message.fields["message"])
