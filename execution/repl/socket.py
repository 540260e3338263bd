"""`/ws`: the ReplitClient protocol over a WebSocket, from the upgrade to the end of the connection.

The upgrade is always accepted, whatever its origin, and refused in the protocol. The stock client takes a connection
that is closed in its handshake for a broken one and comes again at once; so after a refusal it is the client that
closes, and the server only when it does not.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import structlog

from accounts.caller import Caller
from billing.subscriptions import plan_for
from config.errors import ApiError, InvalidRequest, NotAuthenticated, Unavailable
from execution.capacity import admit_connection, admit_to_queue
from execution.realtime import open_now
from execution.realtime.asgi import Receive, Scope, Send, paced
from execution.realtime.frames import broken
from execution.realtime.outbox import GONE, ClientGone, Frame, Outbox
from execution.repl.access import caller_of, check_again
from execution.repl.languages import Language
from execution.repl.messages import language_of, message, message_of
from execution.repl.sessions import Session
from execution.runs import check_toolchain

_log = structlog.get_logger("runcode.repl")

# For each of the two messages of the handshake.
HANDSHAKE_SECONDS: Final = 10.0
# How long a refused client is given to close the connection itself.
LINGER_SECONDS: Final = 5.0
# RFC 6455 leaves 4000–4999 to applications; 4401 means what the status 401 means.
CLOSE_CODE: Final = 4000

_open: set["_Socket"] = set()


async def repl_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    await receive()
    await send({"type": "websocket.accept"})
    await _Socket(scope, paced(receive), send).serve()


async def end_all() -> None:
    """The process stops: every session is told, and what is pending in it is answered."""
    for socket in _open:
        socket.end(Unavailable("The service is being restarted. Your client connects again by itself."))
    if serving := [socket.serving for socket in _open if socket.serving is not None]:
        await asyncio.wait(serving, timeout=LINGER_SECONDS)


class _Socket:
    """One WebSocket. `serving` is its task."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._outbox = Outbox(self._send_frame)
        self._token = ""
        self._caller: Caller
        self._refusal: ApiError | None = None
        self.serving: asyncio.Task[object] | None = None

    async def serve(self) -> None:
        self.serving = asyncio.current_task()
        _open.add(self)
        try:
            await self._serve()
        except ClientGone:
            pass
        except asyncio.CancelledError:
            # By `end`; any other cancellation is the server's.
            if self._refusal is None or self.serving is None:
                raise
            self.serving.uncancel()
            await self._close(self._refusal)
        except Exception:
            _log.exception("a ReplitClient's WebSocket broke")
            await self._close(broken())
        finally:
            _open.discard(self)
            await self._outbox.close()

    def end(self, error: ApiError) -> None:
        """Ends the session, and the connection after it."""
        if self._refusal is None and self.serving is not None:
            self._refusal = error
            self.serving.cancel()

    async def check(self) -> bool:
        """Whether the token is still good; the connection is ended where it is not."""
        try:
            await check_again(self._token, self._caller)
        except ApiError as error:
            self.end(error)
        return self._refusal is None

    # --- the handshake ---

    async def _serve(self) -> None:
        try:
            self._caller = await self._authenticated()
        except ApiError as error:
            _log.info("a ReplitClient was refused", code=error.code)
            self._outbox.put(message("auth_result", "false"))
            await self._linger(error)
            return
        self._outbox.put(message("auth_result", "true"))
        try:
            await self._serve_known(await self._chosen())
        except ApiError as error:
            self._outbox.put(message("error", error.message))
            await self._linger(error)

    async def _authenticated(self) -> Caller:
        command, self._token = await self._said()
        if command != "auth":
            raise NotAuthenticated('Send {"command": "auth", "data": "YOUR TOKEN"} first.', code="token_invalid")
        return await caller_of(self._token, self._scope)

    async def _chosen(self) -> Language:
        command, name = await self._said()
        if command != "select_language":
            raise InvalidRequest('Send {"command": "select_language", "data": "python3"} next.')
        language = language_of(name)
        check_toolchain(language.compiler)
        return language

    async def _said(self) -> tuple[str, str]:
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                return message_of(await self._next())
        except TimeoutError:
            raise NotAuthenticated("Nothing was said in time.", code="token_invalid") from None

    async def _serve_known(self, language: Language) -> None:
        plan = await plan_for(self._caller.organisation_id)
        connection = uuid4().hex
        async with admit_connection(self._caller, plan, connection=connection):
            # Who has no run left is told so now.
            await admit_to_queue(self._caller, plan, waiting=0)
            session = Session(self._caller, language, self._outbox, scope=f"repl-{connection}")
            try:
                await session.open()
                with open_now.listed(self):
                    # Again: the secret may have been replaced since, and before the list was there to be told.
                    await check_again(self._token, self._caller)
                    self._outbox.put(message("ready"))
                    while True:
                        await self._outbox.room()
                        await self._hear(session)
            finally:
                # Before the seat is given back: nothing of it runs when this returns.
                why = "" if self._refusal is None else self._refusal.message
                await session.end(why=why)

    async def _hear(self, session: Session) -> None:
        try:
            command, data = message_of(await self._next())
            await session.hear(command, data)
        except InvalidRequest as error:
            self._outbox.put(message("error", error.message))

    # --- the wire ---

    async def _next(self) -> Mapping[str, Any]:
        frame = await self._receive()
        if frame["type"] != "websocket.receive":
            raise ClientGone
        return frame

    async def _send_frame(self, frame: Frame) -> None:
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
        # No lone surrogate may stand in a text frame; a value's repr or a file's name may have some.
        await self._send({"type": "websocket.send", "text": text.encode("utf-8", "replace").decode()})

    async def _linger(self, error: ApiError) -> None:
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while True:
                    await self._next()
        except TimeoutError:
            await self._close(error)

    async def _close(self, error: ApiError) -> None:
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                await self._outbox.flushed()
                await self._send({"type": "websocket.close", "code": CLOSE_CODE + error.status, "reason": error.code})
        except (TimeoutError, *GONE):
            pass
