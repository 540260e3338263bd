"""A cell's answer as it comes: a stream of events over HTTP, as lines of JSON or as server-sent events.

begin    context_id
stdout, stderr   text
item     the item; with `display_id` where it may be updated, and `update` where it updates
end      the Execution, as `POST /execute` answers without a stream
"""

import asyncio
import codecs
import json
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

from django.http import StreamingHttpResponse

from accounts.caller import Caller
from execution.contexts.answers import broken_of, execution_of, shown_of
from execution.contexts.cells import Watcher, run_cell
from execution.contexts.requests import ExecuteRequest
from execution.sandbox.cells import Item
from execution.sandbox.job import MIB
from execution.sandbox.live import Live

NDJSON: Final = "application/x-ndjson"
SSE: Final = "text/event-stream"

# A cell whose client reads more slowly than it prints is held back when so many characters wait.
MOST_WAITING: Final = 1 * MIB

Event = dict[str, Any]


class _Events:
    """What the cell has shown and the client has not read yet."""

    def __init__(self) -> None:
        self.headers: Mapping[str, str] = {}
        self.live = Live(on_output=self._on_output)
        self._waiting: deque[Event] = deque()
        self._characters = 0
        self._changed = asyncio.Event()
        self._decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")}

    def on_begin(self, context_id: str, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self.put({"type": "begin", "context_id": context_id})

    def on_item(self, item: Item) -> None:
        self.put({"type": "item", **shown_of(item)})

    def put(self, event: Event) -> None:
        self._waiting.append(event)
        self._characters += _size(event)
        if self._characters > MOST_WAITING:
            self.live.pause()
        self._changed.set()

    async def take(self) -> Event:
        while not self._waiting:
            self._changed.clear()
            await self._changed.wait()
        event = self._waiting.popleft()
        self._characters -= _size(event)
        if self._characters <= MOST_WAITING:
            self.live.resume()
        return event

    def _on_output(self, stream: str, data: bytes) -> None:
        if text := self._decoders[stream].decode(data):
            self.put({"type": stream, "text": text})


def _size(event: Event) -> int:
    return len(event.get("text", "")) or 256


async def cell_events(caller: Caller, request: ExecuteRequest) -> AsyncGenerator[Event | Mapping[str, str], None]:
    """The headers of the answer, then the events. Raises what `run_cell` raises before the first of them, after
    `begin` nothing. Closing it before the end interrupts the cell."""
    events = _Events()

    async def run() -> None:
        watcher = Watcher(events.live, events.on_begin, events.on_item)
        answer = await run_cell(caller=caller, request=request, watcher=watcher)
        events.put({"type": "end", **execution_of(answer.context_id, answer.result)})

    running = asyncio.create_task(run())
    taking = asyncio.create_task(events.take())
    try:
        await asyncio.wait((running, taking), return_when=asyncio.FIRST_COMPLETED)
        if not taking.done():
            await running
        event = await taking
        yield events.headers
        yield event
        while event["type"] != "end":
            taking = asyncio.create_task(events.take())
            await asyncio.wait((running, taking), return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                # It ended without its last event: broken, and told as it would be without a stream, in words.
                event = {"type": "end", "error": broken_of(running.exception())}
            else:
                event = await taking
            yield event
    finally:
        for task in (running, taking):
            task.cancel()
        await asyncio.wait((running, taking))


def wanted(accept: str) -> str | None:
    """The kind of stream that an Accept header asks for; None for none."""
    return next((kind for kind in (NDJSON, SSE) if kind in accept), None)


async def streamed(caller: Caller, request: ExecuteRequest, kind: str) -> StreamingHttpResponse:
    """The answer as a stream of `kind`. Raises what `run_cell` raises."""
    told = cell_events(caller, request)
    headers = await anext(told)
    encode = _line if kind == NDJSON else _sent_event

    async def parts() -> AsyncGenerator[bytes, None]:
        async with aclosing(told):
            async for event in told:
                yield encode(dict(event))

    # Proxies that gather an answer before they pass it on are told not to.
    return StreamingHttpResponse(parts(), content_type=kind, headers={**headers, "X-Accel-Buffering": "no"})


def _line(event: Event) -> bytes:
    return json.dumps(event).encode() + b"\n"


def _sent_event(event: Event) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
