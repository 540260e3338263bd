"""What is kept of a program's output."""

from collections.abc import Callable

from execution.sandbox.stage import Output


class Capture:
    """The first `cap` bytes of what it is fed are kept, the rest is dropped, so that memory stays flat whatever a
    program writes. `on_overflow` is called once, when the first byte past the cap comes; `on_data`, where it is set,
    gets what is kept as it comes."""

    def __init__(self, *, cap: int, on_overflow: Callable[[], None] | None = None) -> None:
        self._cap = cap
        self._on_overflow = on_overflow
        self.on_data: Callable[[bytes], None] | None = None
        self._kept = bytearray()  # no list of pieces: one of a million pieces of two bytes each takes 60 MB
        self._truncated = False

    def feed(self, chunk: bytes) -> None:
        room = self._cap - len(self._kept)
        if room > 0:
            self._kept += chunk[:room]
            if self.on_data is not None:
                self.on_data(chunk[:room])
        if len(chunk) > room and not self._truncated:
            self._truncated = True
            if self._on_overflow is not None:
                self._on_overflow()

    def limit(self, *, cap: int, on_overflow: Callable[[], None] | None) -> None:
        """Sets another cap, before the program has written anything."""
        self._cap, self._on_overflow = cap, on_overflow

    def take(self) -> Output:
        """What was kept since the last time; from now on it is as good as new."""
        taken = Capture.finish(self)
        self._truncated = False
        return taken

    def finish(self) -> Output:
        """What was kept, once the program has ended. To be called once: it is not kept any longer."""
        kept, self._kept = bytes(self._kept), bytearray()
        return Output(kept, self._truncated)
