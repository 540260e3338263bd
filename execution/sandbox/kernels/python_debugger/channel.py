"""The kernel's end of the channel on descriptor 3 (execution/sandbox/channel.py)."""

import json
import os
import struct

CHANNEL = 3
SIZE = struct.Struct("!I")


def send(event, **fields):
    body = json.dumps({"event": event, **fields}).encode("utf-8", "surrogatepass")
    data = SIZE.pack(len(body)) + body
    while data:
        data = data[os.write(CHANNEL, data) :]


def receive():
    """The next message; None when the supervisor has gone."""
    if (head := _exactly(SIZE.size)) is None:
        return None
    body = _exactly(*SIZE.unpack(head))
    return None if body is None else json.loads(body.decode("utf-8", "surrogatepass"))


def _exactly(size):
    parts = []
    while size:
        part = os.read(CHANNEL, size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
