"""A kernel's standard input, which outlives its cells: each reads what it was given, up to an end of its own."""

import io
import os
import select


class Input(io.RawIOBase):
    """Standard input, cell by cell: a pipe that never ends, whose end for the running cell comes over the channel."""

    # How long what child processes have read may keep the end away, in seconds.
    PATIENCE = 0.5

    def __init__(self):
        self.taken = 0
        self.used = False  # by the running cell
        self.end = None  # after how many bytes, counted since the kernel began
        self.woken, self.wake = os.pipe()

    def begin(self, streamed, written):
        """A cell begins, before which so many bytes were given to others."""
        self.taken = written
        self.end = None if streamed else written

    def end_after(self, written):
        self.end = written
        os.write(self.wake, b".")

    def drop(self):
        """Forgets what a cell was given and has not read: the next one reads what comes with it."""
        patience = 0
        while select.select([0], [], [], patience)[0] and os.read(0, 65536):
            patience = 0.05  # more may be waiting for room in the pipe

    def readable(self):
        return True

    def fileno(self):
        return 0

    def readinto(self, buffer):
        self.used = True
        while True:
            patience = None if self.end is None else 0 if self.taken >= self.end else self.PATIENCE
            ready, _, _ = select.select([0, self.woken], [], [], patience)
            if 0 in ready:
                data = os.read(0, len(buffer))
                self.taken += len(data)
                buffer[: len(data)] = data
                return len(data)
            if self.woken not in ready:
                return 0
            os.read(self.woken, 1)
