"""`/ws/run/`: programs run, watched and fed over a WebSocket. docs/websocket.md describes the frames."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import structlog

from accounts.authentication import presented_key
from config.errors import ApiError, InvalidRequest, LimitExceeded, NotAuthenticated
from execution.models import Run
from execution.realtime import frames
from execution.realtime.asgi import Receive, Scope, Send, headers_of, paced
from execution.realtime.connection import Connection, connect
from execution.realtime.live_run import LiveRun
from execution.realtime.outbox import GONE, ClientGone, Frame, Outbox

_log = structlog.get_logger("runcode.websocket")

AUTH_SECONDS: Final = 10.0
# A refusal waits no longer than this for a client that does not read.
REFUSAL_SECONDS: Final = 5.0
# RFC 6455 leaves 4000–4999 to applications; 4401 means what the status 401 means.
CLOSE_CODE: Final = 4000


async def run_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application. The upgrade is always accepted: a page's script can read a frame, but no HTTP status."""
    await receive()
    await send({"type": "websocket.accept"})
    await _Socket(scope, paced(receive), send).serve()


class _Socket:
    """One WebSocket from its upgrade to its end. It has one run at a time."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._outbox = Outbox(self._send_frame)
        self._run: LiveRun | None = None
        self._running: asyncio.Task[None] | None = None
        self._stopping = False
        self._refusal: ApiError | None = None
        self._serving: asyncio.Task[object] | None = None

    async def serve(self) -> None:
        self._serving = asyncio.current_task()
        try:
            await self._serve_known(await self._hello())
        except ClientGone:
            pass
        except ApiError as error:
            await self._refuse(error)
        except asyncio.CancelledError:
            # By `_end`; any other cancellation is the server's, stopping.
            if self._refusal is None or self._serving is None:
                raise
            self._serving.uncancel()
            await self._refuse(self._refusal)
        except Exception:
            _log.exception("a WebSocket broke")
            await self._refuse(frames.broken())
        finally:
            await self._outbox.close()

    # --- who it is ---

    async def _hello(self) -> frames.Hello:
        """From the upgrade's headers, which programs can set, or from the first frame, which is all that pages can."""
        if key := presented_key(headers_of(self._scope)):
            return frames.Hello(key)
        try:
            async with asyncio.timeout(AUTH_SECONDS):
                frame = frames.frame_of(await self._next())
        except TimeoutError:
            frame = {"type": "none"}
        except InvalidRequest as error:
            raise _no_key() from error
        if frame["type"] != "auth":
            raise _no_key()
        return frames.hello_of(frame)

    async def _serve_known(self, hello: frames.Hello) -> None:
        surface = Run.Surface.WIDGET if hello.widget else Run.Surface.WEBSOCKET
        async with connect(self._scope, key=hello.key, surface=surface, on_refused=self._end) as connection:
            self._outbox.put({"type": "ready", "connection": connection.id})
            try:
                while True:
                    await self._outbox.room()
                    self._hear(await self._next(), connection)
            finally:
                # Before the seat is given back: the program is dead when this returns.
                if self._running is not None:
                    self._running.cancel()
                    await asyncio.wait([self._running])

    def _end(self, error: ApiError) -> None:
        self._refusal = error
        if self._serving is not None:
            self._serving.cancel()

    # --- what it says ---

    def _hear(self, message: Mapping[str, Any], connection: Connection) -> None:
        frame: dict[str, Any] = {}
        try:
            frame = frames.frame_of(message)
            match frame["type"]:
                case "run":
                    self._start(frames.run_of(frame), connection)
                case "input":
                    self._run_now().write(frames.input_of(frame))
                case "input_end":
                    self._run_now().end_input()
                case "stop":
                    self._stop()
                case "ping":
                    self._outbox.put({"type": "pong"})
                case _:
                    raise frames.unknown(frame)
        except ApiError as error:
            self._outbox.put(_error(error, frames.id_of(frame)))

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
            outbox=self._outbox,
            frame=lambda stream, text: {"type": "output", "id": frame.id, "stream": stream, "data": text},
            on_state=lambda state: self._outbox.put({"type": "state", "id": frame.id, "state": state}),
        )
        self._stopping = False
        self._outbox.put({"type": "state", "id": frame.id, "state": "queued"})
        self._running = asyncio.create_task(self._carry_out(self._run, frame.id, connection))

    def _stop(self) -> None:
        if self._running is None:
            self._outbox.put({"type": "stopped", "id": None})
        elif not self._stopping:
            self._stopping = True
            self._running.cancel()

    async def _carry_out(self, run: LiveRun, name: str | None, connection: Connection) -> None:
        try:
            last = await self._last_frame(run, name, connection)
        finally:
            self._run = self._running = None
        if last is not None:
            self._outbox.put(last)

    async def _last_frame(self, run: LiveRun, name: str | None, connection: Connection) -> Frame | None:
        """How a run ended; None when it did not begin, because the connection's key is no longer good."""
        try:
            if not await connection.check():
                return None
            return {"type": "result", "id": name, **await run.run(connection)}
        except ApiError as error:
            return _error(error, name)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            return {"type": "stopped", "id": name}
        except Exception:
            _log.exception("a run over a WebSocket failed", connection=connection.id)
            return _error(frames.broken(), name)

    # --- the wire ---

    async def _next(self) -> Mapping[str, Any]:
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise ClientGone
        return message

    async def _send_frame(self, frame: Frame) -> None:
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
        await self._send({"type": "websocket.send", "text": text})

    async def _refuse(self, error: ApiError) -> None:
        """Says why, then closes."""
        self._outbox.put(_error(error, None))
        try:
            async with asyncio.timeout(REFUSAL_SECONDS):
                await self._outbox.flushed()
                await self._send({"type": "websocket.close", "code": CLOSE_CODE + error.status, "reason": error.code})
        except (TimeoutError, *GONE):
            pass


def _error(error: ApiError, name: str | None) -> Frame:
    wait = error.headers.get("Retry-After")
    return {
        "type": "error",
        **({} if name is None else {"id": name}),
        **error.body(),
        **({} if wait is None else {"retry_after": int(wait)}),
    }


def _no_key() -> NotAuthenticated:
    text = 'Send {"type": "auth", "key": "YOUR WEBSOCKET KEY"} first, or the key in the Authorization header.'
    return NotAuthenticated(text, code="key_missing")
