"""The streams of one program in a container."""

from execution.sandbox.capture import Capture
from execution.sandbox.docker.attachment import Attachment
from execution.sandbox.streams import Streams


class AttachedStdio(Streams):
    def __init__(self, attachment: Attachment, *, cap: int) -> None:
        self._attachment = attachment
        self.stdout, self.stderr = Capture(cap=cap), Capture(cap=cap)
        attachment.listen(stdout=self.stdout, stderr=self.stderr)

    def write(self, data: bytes) -> None:
        self._attachment.give_input(data)

    def end_input(self) -> None:
        self._attachment.end_input()

    def pause(self) -> None:
        self._attachment.pause(True)

    def resume(self) -> None:
        self._attachment.pause(False)
