"""The end that kernels in Python have of the channel on descriptor 3 (execution/sandbox/channel.py).

Its name is none that a customer's own module would have: theirs are looked up in the same process.
"""

import json
import os
import signal
import struct
import threading

CHANNEL = 3
SIZE = struct.Struct("!I")

_lock = threading.Lock()


def send(event, **fields):
    body = json.dumps({"event": event, **fields}, default=str).encode()
    data = SIZE.pack(len(body)) + body
    with _lock:
        try:
            # An interrupt waits until the message is whole: the rest of the channel would be lost with half of one.
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            while data:
                data = data[os.write(CHANNEL, data) :]
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def receive():
    """The next message; None when the supervisor has gone."""
    head = _exactly(SIZE.size)
    body = _exactly(*SIZE.unpack(head)) if head else None
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
