"""`/ws/run/`: programs run, watched and fed over a WebSocket. docs/websocket.md describes the frames."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from config.errors import ApiError, InvalidRequest, LimitExceeded
from execution.realtime import frames
from execution.realtime.asgi import Receive, Scope, Send
from execution.realtime.connection import Connection
from execution.realtime.live_run import LiveRun
from execution.realtime.outbox import Frame
from execution.realtime.socket import Socket, error_frame

_log = structlog.get_logger("runcode.websocket")


async def run_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    await _RunSocket(scope, receive, send).serve()


class _RunSocket(Socket):
    """It has one run at a time."""

    types = frames.TYPES

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._run: LiveRun | None = None
        self._running: asyncio.Task[None] | None = None
        self._stopping = False

    async def hear(self, frame: Mapping[str, Any], connection: Connection) -> None:
        match frame["type"]:
            case "run":
                self._start(frames.run_of(frame), connection)
            case "input":
                self._run_now().write(frames.input_of(frame))
            case "input_end":
                self._run_now().end_input()
            case "stop":
                self._stop()

    async def finish(self) -> None:
        """The program is dead when this returns."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    def _run_now(self) -> LiveRun:
        if self._run is None:
            raise InvalidRequest("No program is running on this connection.", code="not_running")
        return self._run

    def _start(self, frame: frames.RunFrame, connection: Connection) -> None:
        if self._run is not None:
            raise LimitExceeded(
                "A program is running on this connection. Wait for its result or stop it, then send this again.",
                code="concurrency_limit",
                headers={"Retry-After": "1"},
            )
        self._run = LiveRun(
            frame.request,
            interactive=frame.interactive,
            outbox=self.outbox,
            frame=lambda stream, text: {"type": "output", "id": frame.id, "stream": stream, "data": text},
            on_state=lambda state: self.outbox.put({"type": "state", "id": frame.id, "state": state}),
        )
        self._stopping = False
        self.outbox.put({"type": "state", "id": frame.id, "state": "queued"})
        self._running = asyncio.create_task(self._carry_out(self._run, frame.id, connection))

    def _stop(self) -> None:
        if self._running is None:
            self.outbox.put({"type": "stopped", "id": None})
        elif not self._stopping:
            self._stopping = True
            self._running.cancel()

    async def _carry_out(self, run: LiveRun, name: str | None, connection: Connection) -> None:
        try:
            last = await self._last_frame(run, name, connection)
        finally:
            self._run = self._running = None
        if last is not None:
            self.outbox.put(last)

    async def _last_frame(self, run: LiveRun, name: str | None, connection: Connection) -> Frame | None:
        """How a run ended; None when it did not begin, because the connection's key is no longer good."""
        try:
            if not await connection.check():
                return None
            return {"type": "result", "id": name, **await run.run(connection)}
        except ApiError as error:
            return error_frame(error, name)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            return {"type": "stopped", "id": name}
        except Exception:
            _log.exception("a run over a WebSocket failed", connection=connection.id)
            return error_frame(frames.broken(), name)
