"""The service's side of the supervisor's socket."""

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from execution.sandbox import wire
from execution.sandbox.errors import SandboxError, SandboxUnavailable
from execution.sandbox.job import Job, Result
from execution.sandbox.live import Live

# How long a call waits for a supervisor that is just being restarted, in seconds.
RESTART_PATIENCE = 5.0
RETRY_INTERVAL = 0.05


class ConnectionLost(Exception):
    """The supervisor has gone while an answer was due."""


class SandboxClient:
    """Runs jobs on the host's supervisor. One instance serves an event loop; connections are kept and reused."""

    def __init__(self, socket_path: Path) -> None:
        self._path = socket_path
        self._idle: deque[_Connection] = deque()

    async def run(self, job: Job, live: Live | None = None) -> Result:
        """Runs one job; cancelling the call kills the program. Raises SandboxError where the run was not carried out.

        A supervisor that ends in the middle is given time to come back and the job is run once more: the first
        attempt died with it, and a program without network leaves no trace. Not so a live run: somebody saw it.
        """
        request = wire.encode_job(job, live=live is not None)
        try:
            answer = await self.ask(request, live=live)
        except ConnectionLost:
            if live is not None:
                raise SandboxUnavailable("The sandbox supervisor ended during this run.") from None
            try:
                answer = await self.ask(request)
            except ConnectionLost:
                raise SandboxUnavailable("The sandbox supervisor ended twice during this run.") from None
        return wire.decode_result(answer)

    async def status(self) -> dict[str, Any]:
        """The supervisor's `driver`, `running`, `most_running`, `ready` and `compilers`."""
        try:
            answer = await self.ask(wire.encode("status", {}), patience=0.0)
        except ConnectionLost:
            raise SandboxUnavailable("The sandbox supervisor has just ended.") from None
        status: dict[str, Any] = answer.fields["status"]
        return status

    async def aclose(self) -> None:
        while self._idle:
            self._idle.pop().abort()

    async def ask(
        self,
        request: bytes,
        *,
        patience: float = RESTART_PATIENCE,
        live: Live | None = None,
        on_event: Callable[[wire.Message], None] | None = None,
    ) -> wire.Message:
        """The answer to a request; `on_event` gets what comes before it and is no output. Raises SandboxError, and
        ConnectionLost, which only means that nobody knows what became of it."""
        connection = await self._connect(patience)
        try:
            answer = await connection.ask(request, live, on_event)
        except BaseException:
            connection.abort()
            raise
        self._idle.append(connection)
        if answer.kind == "error":
            raise wire.decode_error(answer)
        return answer

    async def _connect(self, patience: float) -> "_Connection":
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while True:
            try:
                _, connection = await loop.create_unix_connection(_Connection, str(self._path))
                return connection
            except OSError as error:
                if loop.time() >= deadline:
                    raise SandboxUnavailable(f"The sandbox supervisor cannot be reached ({error}).") from None
                await asyncio.sleep(RETRY_INTERVAL)


class _Connection(asyncio.Protocol):
    """A connection to the supervisor, and while it carries a live run that run's port."""

    def __init__(self) -> None:
        self.open = False
        self._decoder = wire.Decoder()
        self._transport: asyncio.Transport
        self._answer: asyncio.Future[wire.Message] | None = None
        self._live: Live | None = None
        self._on_event: Callable[[wire.Message], None] | None = None

    async def ask(
        self, request: bytes, live: Live | None, on_event: Callable[[wire.Message], None] | None
    ) -> wire.Message:
        self._on_event = on_event
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        if live is None:
            return await self._answer
        self._live = live
        live.attach(self)
        try:
            return await self._answer
        finally:
            live.detach()
            self._live = None
            self.resume()

    def write(self, data: bytes) -> None:
        self._transport.write(wire.encode("input", {}, data))

    def end_input(self) -> None:
        self._transport.write(wire.encode("input_end", {}))

    def pause(self) -> None:
        self._transport.pause_reading()

    def resume(self) -> None:
        self._transport.resume_reading()

    def abort(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (what create_unix_connection makes)
        self._transport = transport
        self.open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionLost())

    def data_received(self, data: bytes) -> None:
        try:
            messages = self._decoder.feed(data)
        except ValueError:
            self._fail(SandboxError("The supervisor's answer could not be read."))
            self._transport.abort()
            return
        for message in messages:
            if message.kind == "output":
                if self._live is not None:
                    self._live.on_output(message.fields["stream"], message.blobs[0])
            elif message.kind == "state":
                if self._live is not None:
                    self._live.on_state(message.fields["state"])
            elif message.kind == "item":
                if self._on_event is not None:
                    self._on_event(message)
            elif self._answer is not None and not self._answer.done():
                self._answer.set_result(message)

    def _fail(self, error: SandboxError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
