"""One program whose streams its client sees, and may feed, while it runs."""

import codecs
from collections.abc import Callable, Mapping
from typing import Any

from config.errors import FieldError, InvalidRequest
from execution.realtime.connection import Connection
from execution.realtime.outbox import Frame, Outbox
from execution.requests import RunRequest
from execution.results import answer_of
from execution.runs import run_code
from execution.sandbox.job import MIB
from execution.sandbox.live import MOST_INPUT, Live


class LiveRun:
    """`frame(stream, text)` makes what is put into `outbox` for each piece of output; whole characters only.

    `interactive`: standard input stays open after the request's `input`, until `end_input`.
    """

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
        self._outbox = outbox
        self._frame = frame
        self._live = Live(on_output=self._on_output, on_state=on_state)
        self._decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")}
        self._takes_input = interactive
        if not interactive:
            self._live.end_input()

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
                live=self._live,
                connection=connection.id,
            )
        finally:
            self._takes_input = False
        result = answer.result
        for stream, truncated in (("stdout", result.stdout_truncated), ("stderr", result.stderr_truncated)):
            # What is cut off in the middle of a character by the cap is left out; by the program, it is broken.
            if not truncated and (rest := self._decoders[stream].decode(b"", final=True)):
                self._show(stream, rest)
        return answer_of(result, extended=request.extended, with_files=bool(request.output_files))

    def write(self, data: bytes) -> None:
        """Standard input for the program. Raises InvalidRequest when it takes none (any more) or has had too much."""
        if not self._takes_input:
            raise _invalid("The program takes no input now: its standard input is closed.")
        if not self._live.write(data):
            raise _invalid(f"The program has had {MOST_INPUT // MIB} MB of input, the most in one run.")

    def end_input(self) -> None:
        """End-of-file on the program's standard input; nothing when it has been told already."""
        if self._takes_input:
            self._takes_input = False
            self._live.end_input()

    def _on_output(self, stream: str, data: bytes) -> None:
        if text := self._decoders[stream].decode(data):
            self._show(stream, text)

    def _show(self, stream: str, text: str) -> None:
        self._outbox.output(self._live, stream, text, self._frame)


def _invalid(text: str) -> InvalidRequest:
    return InvalidRequest(text, errors=[FieldError("data", text)])
