"""The three streams of one program in a container; the port of a live run (`execution.sandbox.live`)."""

from collections.abc import Callable

from execution.sandbox.capture import Capture
from execution.sandbox.docker.attachment import Attachment
from execution.sandbox.live import Live


class AttachedStdio:
    def __init__(self, attachment: Attachment, *, cap: int) -> None:
        self._attachment = attachment
        self.stdout, self.stderr = Capture(cap=cap), Capture(cap=cap)
        attachment.listen(stdout=self.stdout, stderr=self.stderr)

    def limit(self, *, cap: int, on_overflow: Callable[[], None]) -> None:
        """Sets the caps of a job, before its program has written anything."""
        self.stdout.limit(cap=cap, on_overflow=on_overflow)
        self.stderr.limit(cap=cap, on_overflow=on_overflow)

    def show(self, live: Live) -> None:
        """Lets a live run see the output as it comes, give input, and hold the program back."""
        self.stdout.on_data = lambda data: live.on_output("stdout", data)
        self.stderr.on_data = lambda data: live.on_output("stderr", data)
        live.attach(self)

    def write(self, data: bytes) -> None:
        self._attachment.give_input(data)

    def end_input(self) -> None:
        self._attachment.end_input()

    def pause(self) -> None:
        self._attachment.pause(True)

    def resume(self) -> None:
        self._attachment.pause(False)
