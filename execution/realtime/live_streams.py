"""The streams of one program or cell that a client sees, and may feed, while it runs."""

import codecs
from collections.abc import Callable

from config.errors import FieldError, InvalidRequest
from execution.realtime.outbox import Frame, Outbox
from execution.sandbox.job import MIB
from execution.sandbox.live import MOST_INPUT, Live


class LiveStreams:
    """`frame(stream, text)` makes what is put into `outbox` for each piece of output; whole characters only. `live` is
    for whoever carries the program out.

    `interactive`: standard input stays open after what came with the program, until `end_input`.
    """

    def __init__(
        self,
        *,
        interactive: bool,
        outbox: Outbox,
        frame: Callable[[str, str], Frame],
        on_state: Callable[[str], None] | None = None,
    ) -> None:
        self._outbox = outbox
        self._frame = frame
        self.live = Live(on_output=self._on_output, on_state=on_state)
        self._decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")}
        self._takes_input = interactive
        if not interactive:
            self.live.end_input()

    def finish(self, *, stdout_truncated: bool, stderr_truncated: bool) -> None:
        """Shows what is left, once the program has ended."""
        for stream, truncated in (("stdout", stdout_truncated), ("stderr", stderr_truncated)):
            # What is cut off in the middle of a character by the cap is left out; by the program, it is broken.
            if not truncated and (rest := self._decoders[stream].decode(b"", final=True)):
                self._show(stream, rest)

    def close_input(self) -> None:
        """It takes no more: it has ended, or is about to."""
        self._takes_input = False

    def write(self, data: bytes) -> None:
        """Standard input for the program. Raises InvalidRequest when it takes none (any more) or has had too much."""
        if not self._takes_input:
            raise _invalid("The program takes no input now: its standard input is closed.")
        if not self.live.write(data):
            raise _invalid(f"The program has had {MOST_INPUT // MIB} MB of input, the most in one run.")

    def end_input(self) -> None:
        """End-of-file on the program's standard input; nothing when it has been told already."""
        if self._takes_input:
            self._takes_input = False
            self.live.end_input()

    def _on_output(self, stream: str, data: bytes) -> None:
        if text := self._decoders[stream].decode(data):
            self._show(stream, text)

    def _show(self, stream: str, text: str) -> None:
        self._outbox.output(self.live, stream, text, self._frame)


def _invalid(text: str) -> InvalidRequest:
    return InvalidRequest(text, errors=[FieldError("data", text)])
