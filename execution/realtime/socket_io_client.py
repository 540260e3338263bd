"""One Socket.IO client: what it asks for, and what it is told. Every `runcode` ends with exactly one `codeoutput`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final

import structlog

from config.errors import ApiError, InvalidRequest, LimitExceeded
from execution.models import Run
from execution.realtime.codeoutput import RunCode, data_of, input_of, refusal_of, run_code_of
from execution.realtime.connection import Connection, connect
from execution.realtime.frames import broken, id_of
from execution.realtime.live_run import LiveRun
from execution.realtime.outbox import Frame, Outbox
from execution.results import answer_of
from execution.runs import run_code

_log = structlog.get_logger("runcode.socketio")

# Programs of one connection at once; its rate lets it start more than these only when they take their time.
AT_ONCE: Final = 4
# A refusal waits no longer than this for a client that does not read.
REFUSAL_SECONDS: Final = 5.0


class Client:
    """`emit(event, data)` returns when the client has taken it, and raises OSError when it cannot be sent; `drop` ends
    the connection, and calls `close` by doing so."""

    def __init__(
        self, *, key: str, emit: Callable[[str, Any], Awaitable[None]], drop: Callable[[], Awaitable[None]]
    ) -> None:
        self._key = key
        self._emit = emit
        self._drop = drop
        self._outbox = Outbox(self._send)
        self._stack = AsyncExitStack()
        self._connection: Connection
        self._live: LiveRun | None = None
        self._live_task: asyncio.Task[None] | None = None
        self._stopped: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending: asyncio.Task[None] | None = None

    async def open(self, scope: Mapping[str, Any]) -> None:
        """Raises what `realtime.connection.connect` raises: the client is to be told."""
        connecting = connect(scope, key=self._key, surface=Run.Surface.SOCKETIO, on_refused=self._end)
        self._connection = await self._stack.enter_async_context(connecting)

    async def close(self) -> None:
        """Kills what runs and gives the seat back. Called once the client is gone, and harmless when called again."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._outbox.close()
        await self._stack.aclose()

    # --- the events; their answers are what an acknowledgement carries ---

    def runcode(self, arguments: tuple[Any, ...]) -> None:
        if self._outbox.flooded:
            self._end_soon()
            return
        task = asyncio.create_task(self._answer(arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def input(self, arguments: tuple[Any, ...]) -> dict[str, object] | None:
        """Text for the live program's standard input."""
        try:
            self._live_now().write(input_of(arguments))
        except ApiError as error:
            return error.body()
        return None

    def input_end(self) -> dict[str, object] | None:
        try:
            self._live_now().end_input()
        except ApiError as error:
            return error.body()
        return None

    def stop(self) -> None:
        """Ends the live program; its `codeoutput` says so."""
        if self._live_task is not None:
            self._stopped.add(self._live_task)
            self._live_task.cancel()

    # --- the runs ---

    async def _answer(self, arguments: tuple[Any, ...]) -> None:
        name: str | None = None
        try:
            data = data_of(arguments)
            name = id_of(data)
            answer = await self._run(run_code_of(data, key=self._key))
        except ApiError as error:
            answer = refusal_of(error)
        except Exception:
            _log.exception("a run over Socket.IO failed")
            answer = refusal_of(broken())
        self._put("codeoutput", answer, name)

    async def _run(self, asked: RunCode) -> Mapping[str, Any]:
        if self._outbox.deaf:
            raise LimitExceeded("The answers before this one are not read yet. Read them, then send this again.")
        if len(self._tasks) > AT_ONCE:
            raise LimitExceeded(
                f"This connection runs {AT_ONCE} programs already, the most at once. Wait for one to end.",
                code="concurrency_limit",
            )
        if not await self._connection.check():
            # Cancelled in a moment, as everything of this connection.
            raise InvalidRequest("The key of this connection is no longer good.")
        if asked.live:
            return await self._run_live(asked)
        request, connection = asked.request, self._connection
        answer = await run_code(
            caller=connection.caller, request=request, surface=connection.surface, connection=connection.id
        )
        return answer_of(answer.result, extended=request.extended, with_files=bool(request.output_files))

    async def _run_live(self, asked: RunCode) -> Mapping[str, Any]:
        if self._live is not None:
            raise LimitExceeded(
                "A live program is running on this connection. Wait for its result or stop it.",
                code="concurrency_limit",
            )
        name = asked.id
        self._live = LiveRun(
            asked.request,
            interactive=asked.interactive,
            outbox=self._outbox,
            frame=lambda stream, text: _event("output", {"stream": stream, "data": text}, name),
            on_state=lambda state: self._put("state", {"state": state}, name),
        )
        task = self._live_task = asyncio.current_task()
        try:
            return await self._live.run(self._connection)
        except asyncio.CancelledError:
            if task not in self._stopped:
                raise
            self._stopped.discard(task)
            task.uncancel()
            raise InvalidRequest("Stopped.", code="stopped") from None
        finally:
            self._live = self._live_task = None

    def _live_now(self) -> LiveRun:
        if self._live is None:
            raise InvalidRequest("No live program is running on this connection.", code="not_running")
        return self._live

    # --- the wire, and the end ---

    def _put(self, event: str, data: Mapping[str, Any], name: str | None) -> None:
        self._outbox.put(_event(event, data, name))

    async def _send(self, frame: Frame) -> None:
        await self._emit(frame["event"], frame["data"])

    def _end(self, error: ApiError) -> None:
        self._put("refused", error.body(), None)
        self._end_soon()

    def _end_soon(self) -> None:
        if self._ending is None:
            self._ending = asyncio.create_task(self._finish())

    async def _finish(self) -> None:
        try:
            async with asyncio.timeout(REFUSAL_SECONDS):
                await self._outbox.flushed()
        except TimeoutError:
            pass
        await self._drop()


def _event(event: str, data: Mapping[str, Any], name: str | None) -> Frame:
    return {"event": event, "data": {**data, **({} if name is None else {"id": name})}}
