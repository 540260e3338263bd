"""One cell whose client sees it, and may feed it, over a WebSocket."""

from collections.abc import Mapping

from config.errors import ApiError
from execution.contexts.answers import broken_of, execution_of, shown_of
from execution.contexts.cells import Watcher, run_cell
from execution.contexts.frames import ExecuteFrame
from execution.realtime.connection import Connection
from execution.realtime.live_streams import LiveStreams
from execution.realtime.outbox import Frame, Outbox
from execution.realtime.socket import error_frame
from execution.sandbox.cells import Item


class LiveCell:
    """Its frames go into `outbox`; `begun` tells whether it was seen to begin."""

    def __init__(self, frame: ExecuteFrame, outbox: Outbox) -> None:
        self._outbox = outbox
        self._frame = frame
        self._context = {"id": frame.id, "context_id": frame.request.context_id}
        self.begun = False
        self.streams = LiveStreams(
            interactive=frame.interactive,
            outbox=outbox,
            frame=lambda stream, text: {"type": stream, "id": frame.id, "text": text},
        )

    async def run(self, connection: Connection) -> Frame:
        """Its last frame. Raises what `run_cell` raises."""
        watcher = Watcher(self.streams.live, self._on_begin, self._on_item, feeds=self._frame.interactive)
        try:
            answer = await run_cell(
                caller=connection.caller, request=self._frame.request, watcher=watcher, connection=connection.id
            )
        finally:
            self.streams.close_input()
        result = answer.result
        self.streams.finish(stdout_truncated=result.stdout_truncated, stderr_truncated=result.stderr_truncated)
        return {"type": "end", **self._context, **execution_of(answer.context_id, result)}

    def broken(self, error: ApiError) -> Frame:
        """What stands for its last frame: every one that has begun ends."""
        if not self.begun:
            return error_frame(error, self._frame.id)
        return {"type": "end", **self._context, "error": broken_of(error)}

    def _on_begin(self, _context_id: str, _headers: Mapping[str, str]) -> None:
        self.begun = True
        self._outbox.put({"type": "begin", **self._context})

    def _on_item(self, item: Item) -> None:
        self._outbox.put({"type": "item", "id": self._frame.id, **shown_of(item)})
