"""`/ws/contexts/{id}`: a context's cells, watched and fed over a WebSocket. docs/contexts.md describes the frames."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

import structlog

from config.errors import ApiError, InvalidRequest, LimitExceeded, NotFound
from execution.contexts import frames
from execution.contexts.answers import context_of
from execution.contexts.cells import open_context, scope_of, told
from execution.contexts.live_cell import LiveCell
from execution.realtime.asgi import Receive, Scope, Send
from execution.realtime.connection import Connection
from execution.realtime.frames import Hello, broken, input_of
from execution.realtime.outbox import Frame
from execution.realtime.socket import Refused, Socket
from execution.sandbox.cells import ContextInfo
from execution.sandbox.context_client import ContextClient
from execution.sandbox_clients import sandbox_client

_log = structlog.get_logger("runcode.contexts")

# What stands in the address for a context that is to be opened.
NEW: Final = "new"


async def context_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    await _ContextSocket(scope, receive, send).serve()


class _ContextSocket(Socket):
    """It has one cell at a time; others may run theirs in the same context, in turn."""

    types = frames.TYPES

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._id = ""
        self._cell: LiveCell | None = None
        self._running: asyncio.Task[None] | None = None

    async def begin(self, hello: Hello, connection: Connection) -> Mapping[str, Any]:
        named: str = self.scope["url_route"]["kwargs"]["context_id"]
        if named == NEW:
            info = await open_context(connection.caller, frames.kernel_of({**_query(self.scope), **hello.said}))
        else:
            info = await self._about(connection, ContextClient.info, named)
        self._id = info.id
        return {"context": context_of(info)}

    async def hear(self, frame: Mapping[str, Any], connection: Connection) -> None:
        match frame["type"]:
            case "execute":
                self._start(frames.execute_of(frame, self._id), connection)
            case "input":
                self._cell_now().streams.write(input_of(frame))
            case "input_end":
                self._cell_now().streams.end_input()
            case "interrupt":
                await self._change(connection, ContextClient.interrupt)
            case "restart":
                await self._change(connection, ContextClient.restart)

    async def finish(self) -> None:
        """The cell is interrupted; what waited for its turn has left the queue."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _change(self, connection: Connection, ask: Callable[..., Awaitable[ContextInfo]]) -> None:
        if not await connection.check():
            return
        try:
            info = await self._about(connection, ask, self._id)
        except NotFound as gone:
            # The connection is about nothing any more.
            raise Refused(gone) from None
        self.outbox.put({"type": "context", "context": context_of(info)})

    async def _about(
        self, connection: Connection, ask: Callable[..., Awaitable[ContextInfo]], context_id: str
    ) -> ContextInfo:
        async with told():
            return await ask(ContextClient(sandbox_client()), scope=scope_of(connection.caller), context_id=context_id)

    def _cell_now(self) -> LiveCell:
        if self._cell is None:
            raise InvalidRequest("No cell of this connection is running.", code="not_running")
        return self._cell

    def _start(self, frame: frames.ExecuteFrame, connection: Connection) -> None:
        if self._cell is not None:
            raise LimitExceeded(
                "A cell of this connection is running. Wait for its end or interrupt it, then send this again.",
                code="concurrency_limit",
                headers={"Retry-After": "1"},
            )
        self._cell = LiveCell(frame, self.outbox)
        self._running = asyncio.create_task(self._carry_out(self._cell, connection))

    async def _carry_out(self, cell: LiveCell, connection: Connection) -> None:
        try:
            last = await self._last_frame(cell, connection)
        finally:
            self._cell = self._running = None
        if last is not None:
            self.outbox.put(last)

    async def _last_frame(self, cell: LiveCell, connection: Connection) -> Frame | None:
        """How a cell ended; None when it did not begin, because the connection's key is no longer good."""
        try:
            if not await connection.check():
                return None
            return await cell.run(connection)
        except NotFound as gone:
            self.end(gone)
            return cell.broken(gone) if cell.begun else None
        except ApiError as error:
            return cell.broken(error)
        except Exception:
            _log.exception("a cell over a WebSocket failed", connection=connection.id)
            return cell.broken(broken())


def _query(scope: Scope) -> dict[str, str]:
    """The parameters of the address; the last one of a name counts."""
    return {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
