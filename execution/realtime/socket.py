"""A WebSocket of JSON frames, from its upgrade to its end: who the client is, what it hears, how it is refused.

Each endpoint is a subclass that says what its frames mean. A client that falls behind with reading is not listened to.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import structlog

from accounts.authentication import presented_key
from config.errors import ApiError, InvalidRequest, NotAuthenticated
from execution.models import Run
from execution.realtime import frames
from execution.realtime.asgi import Receive, Scope, Send, headers_of, paced
from execution.realtime.connection import Connection, connect
from execution.realtime.outbox import GONE, ClientGone, Frame, Outbox

_log = structlog.get_logger("runcode.websocket")

AUTH_SECONDS: Final = 10.0
# A refusal waits no longer than this for a client that does not read.
REFUSAL_SECONDS: Final = 5.0
# RFC 6455 leaves 4000–4999 to applications; 4401 means what the status 401 means.
CLOSE_CODE: Final = 4000


class Refused(Exception):
    """What was heard ends the connection, for `error`."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.message)
        self.error = error


class Socket(ABC):
    """`types` are what a client may send once it is ready; `outbox` takes what it is sent."""

    types: ClassVar[tuple[str, ...]]

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive = paced(receive)
        self._send = send
        self.outbox = Outbox(self._send_frame)
        self._refusal: ApiError | None = None
        self._serving: asyncio.Task[object] | None = None

    # --- what an endpoint says ---

    async def begin(self, hello: frames.Hello, connection: Connection) -> Mapping[str, Any]:
        """What `ready` tells beside the connection's id. Raises ApiError, which refuses the client."""
        return {}

    @abstractmethod
    async def hear(self, frame: Mapping[str, Any], connection: Connection) -> None:
        """A frame of one of `types`. Raises ApiError, which the client is told and the connection survives, and
        Refused."""

    @abstractmethod
    async def finish(self) -> None:
        """Ends whatever still runs for the client, before its seat is given back."""

    # --- its life ---

    async def serve(self) -> None:
        """The upgrade is always accepted: a page's script can read a frame, but no HTTP status."""
        await self._receive()
        await self._send({"type": "websocket.accept"})
        self._serving = asyncio.current_task()
        try:
            await self._serve_known(await self._hello())
        except ClientGone:
            pass
        except ApiError as error:
            await self._refuse(error)
        except Refused as refused:
            await self._refuse(refused.error)
        except asyncio.CancelledError:
            # By `end`; any other cancellation is the server's, stopping.
            if self._refusal is None or self._serving is None:
                raise
            self._serving.uncancel()
            await self._refuse(self._refusal)
        except Exception:
            _log.exception("a WebSocket broke")
            await self._refuse(frames.broken())
        finally:
            await self.outbox.close()

    def end(self, error: ApiError) -> None:
        """For other tasks than the one that serves: refuses the client from now on, and closes."""
        self._refusal = error
        if self._serving is not None:
            self._serving.cancel()

    async def _hello(self) -> frames.Hello:
        """From the upgrade's headers, which programs can set, or from the first frame, which is all that pages can."""
        if key := presented_key(headers_of(self.scope)):
            return frames.Hello(key)
        try:
            async with asyncio.timeout(AUTH_SECONDS):
                frame = frames.frame_of(await self._next(), self.types)
        except TimeoutError:
            frame = {"type": "none"}
        except InvalidRequest as error:
            raise _no_key() from error
        if frame["type"] != "auth":
            raise _no_key()
        return frames.hello_of(frame)

    async def _serve_known(self, hello: frames.Hello) -> None:
        surface = Run.Surface.WIDGET if hello.widget else Run.Surface.WEBSOCKET
        async with connect(self.scope, key=hello.key, surface=surface, on_refused=self.end) as connection:
            told = await self.begin(hello, connection)
            self.outbox.put({"type": "ready", "connection": connection.id, **told})
            try:
                while True:
                    await self.outbox.room()
                    await self._take(await self._next(), connection)
            finally:
                await self.finish()

    async def _take(self, message: Mapping[str, Any], connection: Connection) -> None:
        frame: dict[str, Any] = {}
        try:
            frame = frames.frame_of(message, self.types)
            if frame["type"] == "ping":
                self.outbox.put({"type": "pong"})
            elif frame["type"] in self.types:
                await self.hear(frame, connection)
            else:
                raise frames.unknown(frame, self.types)
        except ApiError as error:
            self.outbox.put(error_frame(error, frames.id_of(frame)))

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
        self.outbox.put(error_frame(error, None))
        try:
            async with asyncio.timeout(REFUSAL_SECONDS):
                await self.outbox.flushed()
                await self._send({"type": "websocket.close", "code": CLOSE_CODE + error.status, "reason": error.code})
        except (TimeoutError, *GONE):
            pass


def error_frame(error: ApiError, name: str | None) -> Frame:
    """A refusal, of what the client calls `name`."""
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
