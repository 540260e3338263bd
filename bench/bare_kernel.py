"""A context's kernel with nothing around it: started as a shell would start it, and asked over its channel alone.

    python -m bench.bare_kernel MANIFEST KERNEL SAMPLES

Run as bench/bare.py is: in a mount namespace of its own, it changes its root to the toolchain's. Prints one JSON
object: `start_ms` from the start of the process to its first word, `cell_ms` of the cell `1+1` (medians), and
`private_mb` of the idle kernel.
"""

import json
import os
import signal
import socket
import statistics
import struct
import sys
import time
from pathlib import Path
from typing import Any

from bench.bare import BUILD, WORK, enter
from bench.memory import private_bytes
from execution.catalogue import Manifest
from execution.sandbox.job import MIB
from execution.sandbox.kernels import KERNELS

STARTS = 5
CHANNEL = 3
SIZE = struct.Struct("!I")


class Kernel:
    """One that is up."""

    def __init__(self, command: tuple[str, ...], env: dict[str, str]) -> None:
        self._channel, theirs = socket.socketpair()
        nothing = os.open(os.devnull, os.O_RDWR)
        streams = [(os.POSIX_SPAWN_DUP2, nothing, stream) for stream in (0, 1, 2)]
        channel = (os.POSIX_SPAWN_DUP2, theirs.fileno(), CHANNEL)
        self.pid = os.posix_spawn(command[0], command, env, file_actions=[*streams, channel])
        os.close(nothing)
        theirs.close()
        self._until("ready")

    def cell(self, code: str) -> None:
        body = json.dumps({"do": "execute", "code": code, "env": {}, "streamed": False, "written": 0}).encode()
        self._channel.sendall(SIZE.pack(len(body)) + body)
        self._until("done")

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._channel.close()

    def _until(self, event: str) -> None:
        while True:
            (size,) = SIZE.unpack(self._channel.recv(SIZE.size, socket.MSG_WAITALL))
            if json.loads(self._channel.recv(size, socket.MSG_WAITALL))["event"] == event:
                return


def _ms(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1000, 2)


def measure(command: tuple[str, ...], env: dict[str, str], samples: int) -> dict[str, Any]:
    starts: list[float] = []
    cells: list[float] = []
    for number in range(STARTS):
        began = time.perf_counter()
        kernel = Kernel(command, env)
        starts.append(time.perf_counter() - began)
        if number < STARTS - 1:
            kernel.end()
    for _ in range(samples):
        began = time.perf_counter()
        kernel.cell("1+1")
        cells.append(time.perf_counter() - began)
    private = private_bytes(kernel.pid)
    kernel.end()
    return {"start_ms": _ms(starts), "cell_ms": _ms(cells), "private_mb": round(private / MIB, 1)}


def main() -> None:
    manifest = Manifest.from_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    spec, samples = KERNELS[sys.argv[2]], int(sys.argv[3])
    files = spec.files.files
    # /proc is the new root's after that.
    enter(Path(manifest.root))
    for file in files:
        (BUILD / file.path).write_bytes(file.content)
    env = {**manifest.env, **spec.env, "HOME": str(WORK), "TMPDIR": "/tmp", "LANG": "C.UTF-8"}
    print(json.dumps(measure(spec.command, env, samples)))


if __name__ == "__main__":
    main()
