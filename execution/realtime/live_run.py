"""One program whose streams its client sees, and may feed, while it runs."""

from collections.abc import Callable, Mapping
from typing import Any

from execution.realtime.connection import Connection
from execution.realtime.live_streams import LiveStreams
from execution.realtime.outbox import Frame, Outbox
from execution.requests import RunRequest
from execution.results import answer_of
from execution.runs import run_code


class LiveRun:
    """`frame`, `outbox`, `interactive` and `on_state` are those of LiveStreams."""

    def __init__(
        self,
        request: RunRequest,
        *,
        interactive: bool,
        outbox: Outbox,
        frame: Callable[[str, str], Frame],
        on_state: Callable[[str], None] | None = None,
    ) -> None:
        self._request = request
        self._streams = LiveStreams(interactive=interactive, outbox=outbox, frame=frame, on_state=on_state)
        self.write, self.end_input = self._streams.write, self._streams.end_input

    async def run(self, connection: Connection) -> Mapping[str, Any]:
        """The result's fields, once all output before it is in the outbox. Raises what `run_code` raises.

        Cancelling it kills the program.
        """
        request = self._request
        try:
            answer = await run_code(
                caller=connection.caller,
                request=request,
                surface=connection.surface,
                live=self._streams.live,
                connection=connection.id,
            )
        finally:
            self._streams.close_input()
        result = answer.result
        self._streams.finish(stdout_truncated=result.stdout_truncated, stderr_truncated=result.stderr_truncated)
        return answer_of(result, extended=request.extended, with_files=bool(request.output_files))
