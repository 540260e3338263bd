"""The supervisor's end of the launcher, the small resident process that starts sandboxes (launcher.c)."""

import asyncio
import itertools
import logging
import os
import signal
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

from execution.sandbox.errors import SandboxUnavailable
from execution.sandbox.native.commands import LAUNCHER_FD, OPEN_FILES

log = logging.getLogger(__name__)

_REQUEST = struct.Struct("=IIIIQ")
_REPORT = struct.Struct("=Ii")


class Launched:
    """A process that the launcher started: its `pid` on the host, and `ended`, done when it has been reaped."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.started: asyncio.Future[int] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.pid = 0


class Launcher:
    """Started with the driver, ended with it. A launcher that dies takes its sandboxes along; the supervisor then
    ends too, and is started afresh by whoever runs it."""

    def __init__(self, *, executable: Path, filter_file: Path, init: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._ids = itertools.count()
        self._launched: dict[int, Launched] = {}
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        argv = [str(executable), str(filter_file), str(init)]
        with theirs:
            self._pid = os.posix_spawn(
                executable, argv, {}, file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), LAUNCHER_FD)]
            )
        self._loop.add_reader(self._socket, self._on_report)

    async def launch(
        self,
        *,
        command: Sequence[str],
        uid: int,
        procs_files: Sequence[str],
        file_size: int,
        control: int,
        network: int | None,
    ) -> Launched:
        """Starts `command` as described in launcher.c; returns once its process exists."""
        number = next(self._ids) & 0xFFFFFFFF
        strings = b"".join(os.fsencode(text) + b"\0" for text in (*procs_files, *command))
        request = _REQUEST.pack(number, uid, OPEN_FILES, len(procs_files), file_size) + strings
        self._launched[number] = launched = Launched(self._loop)
        descriptors = [control] if network is None else [control, network]
        while True:
            try:
                socket.send_fds(self._socket, [request], descriptors)
                break
            except BlockingIOError:
                await asyncio.sleep(0.001)
        launched.pid = await launched.started
        return launched

    async def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()
        while os.waitpid(self._pid, os.WNOHANG) == (0, 0):  # noqa: ASYNC222 (does not block)
            await asyncio.sleep(0.002)

    def _on_report(self) -> None:
        while True:
            try:
                report = self._socket.recv(_REPORT.size)
            except BlockingIOError:
                return
            if not report:
                self._end()
                return
            number, pid = _REPORT.unpack(report)
            launched = self._launched[number]
            if pid and not launched.started.done():
                launched.started.set_result(pid)
                continue
            del self._launched[number]
            if not launched.started.done():
                launched.started.set_exception(SandboxUnavailable("The host has no room for another process."))
            launched.ended.set_result(None)

    def _end(self) -> None:
        log.error("The launcher has ended, and every sandbox with it.")
        self._loop.remove_reader(self._socket)
        for launched in self._launched.values():
            if not launched.started.done():
                launched.started.set_exception(SandboxUnavailable("The launcher has ended."))
            launched.ended.set_result(None)
        self._launched.clear()
        os.kill(os.getpid(), signal.SIGTERM)
