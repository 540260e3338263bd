"""The program's stdin, stdout and stderr, seen from the supervisor."""

import asyncio
import os
from collections.abc import Callable

from execution.sandbox.capture import Capture
from execution.sandbox.stage import Output
from execution.sandbox.streams import Streams

# As much as a pipe holds.
_READ = 65536


class OutputPipe(Capture):
    """Captures what comes out of a pipe; what is past the cap is read too, and dropped."""

    def __init__(self, *, cap: int, on_overflow: Callable[[], None] | None = None) -> None:
        super().__init__(cap=cap, on_overflow=on_overflow)
        self._loop = asyncio.get_running_loop()
        self._read_end, self.write_end = os.pipe2(os.O_CLOEXEC)
        # Programs open /dev/stdout and /dev/stderr by name too, which asks for the pipe's own permissions.
        os.fchmod(self.write_end, 0o222)
        os.set_blocking(self._read_end, False)
        self._open = True
        self._loop.add_reader(self._read_end, self._on_readable)

    def close_write_end(self) -> None:
        """To be called once the program holds its own copy."""
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def finish(self) -> Output:
        """What was kept. All writers have ended by now, so everything written is in the pipe: reads it out, closes."""
        while self._open and self._on_readable():
            continue
        self.close()
        return super().finish()

    def take(self) -> Output:
        # What was written before this call is in the pipe; whoever goes on writing does not hold it up.
        for _ in range(2):
            if not self._open or not self._on_readable():
                break
        return super().take()

    def pause(self) -> None:
        """Reads nothing for now: the program waits once the pipe is full."""
        if self._open:
            self._loop.remove_reader(self._read_end)

    def resume(self) -> None:
        if self._open:
            self._loop.add_reader(self._read_end, self._on_readable)

    def close(self) -> None:
        self.close_write_end()
        if self._open:
            self._open = False
            self._loop.remove_reader(self._read_end)
            os.close(self._read_end)

    def _on_readable(self) -> bool:
        """Reads once; False when there is nothing (more) to read for now."""
        try:
            chunk = os.read(self._read_end, _READ)
        except BlockingIOError:
            return False
        if not chunk:
            self.close()
            return False
        self.feed(chunk)
        return True


class InputPipe:
    """Feeds a program's stdin without ever waiting for it; a program that closes its end early is no error."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.read_end, self._write_end = os.pipe2(os.O_CLOEXEC)
        os.fchmod(self.read_end, 0o444)
        os.set_blocking(self._write_end, False)
        self._pending = bytearray()
        self._ending = False
        self._waiting = False

    def close_read_end(self) -> None:
        if self.read_end >= 0:
            os.close(self.read_end)
            self.read_end = -1

    def send(self, data: bytes) -> None:
        """Writes all of `data`, as fast as the program takes it."""
        self._pending += data
        self._write()

    def end(self) -> None:
        """End-of-file, after everything that was sent."""
        self._ending = True
        self._write()

    def close(self) -> None:
        self.close_read_end()
        self._pending = bytearray()  # what nobody read is not kept until this object goes
        if self._write_end >= 0:
            if self._waiting:
                self._loop.remove_writer(self._write_end)
            os.close(self._write_end)
            self._write_end = -1

    def _write(self) -> None:
        if self._write_end < 0:
            return
        try:
            while self._pending:
                del self._pending[: os.write(self._write_end, self._pending)]
        except BlockingIOError:
            if not self._waiting:
                self._waiting = True
                self._loop.add_writer(self._write_end, self._write)
            return
        except BrokenPipeError:
            self.close()
            return
        if self._waiting:
            self._waiting = False
            self._loop.remove_writer(self._write_end)
        if self._ending:
            self.close()


class Stdio(Streams):
    """The three of one program."""

    stdout: OutputPipe
    stderr: OutputPipe

    def __init__(self, *, cap: int) -> None:
        self.stdin, self.stdout, self.stderr = InputPipe(), OutputPipe(cap=cap), OutputPipe(cap=cap)

    @property
    def programs_ends(self) -> tuple[int, int, int]:
        return self.stdin.read_end, self.stdout.write_end, self.stderr.write_end

    def close_programs_ends(self) -> None:
        """To be called once the program holds its own copies."""
        self.stdin.close_read_end()
        self.stdout.close_write_end()
        self.stderr.close_write_end()

    def write(self, data: bytes) -> None:
        self.stdin.send(data)

    def end_input(self) -> None:
        self.stdin.end()

    def pause(self) -> None:
        self.stdout.pause()
        self.stderr.pause()

    def resume(self) -> None:
        self.stdout.resume()
        self.stderr.resume()

    def close(self) -> None:
        for pipe in (self.stdin, self.stdout, self.stderr):
            pipe.close()
