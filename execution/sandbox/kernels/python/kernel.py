"""The Python kernel: IPython's InteractiveShell behind the channel on descriptor 3 (execution/sandbox/channel.py).

Cells run in the main thread; a second one reads the channel, so that an interrupt gets through while a cell runs.
"""

import asyncio
import base64
import builtins
import contextlib
import io
import json
import os
import queue
import re
import select
import signal
import struct
import subprocess
import sys
import threading
import traceback

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type

CHANNEL = 3
SIZE = struct.Struct("!I")
# Terminal colours: whoever reads a traceback here reads it in a page or a log.
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
NO_INPUT = "this cell has no standard input: send it with the request, or stream the cell to answer while it runs"

_lock = threading.Lock()


def send(event, **fields):
    body = json.dumps({"event": event, **fields}, default=str).encode("utf-8", "surrogatepass")
    data = SIZE.pack(len(body)) + body
    with _lock:
        try:
            # An interrupt waits until the message is whole: the rest of the channel would be lost with half of one.
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            while data:
                data = data[os.write(CHANNEL, data) :]
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def receive():
    """The next message; None when the supervisor has gone."""
    parts = []
    missing = SIZE.size
    while missing:
        part = os.read(CHANNEL, missing)
        if not part:
            return None
        parts.append(part)
        missing -= len(part)
    (missing,) = SIZE.unpack(b"".join(parts))
    parts = []
    while missing:
        part = os.read(CHANNEL, missing)
        if not part:
            return None
        parts.append(part)
        missing -= len(part)
    return json.loads(b"".join(parts).decode("utf-8", "surrogatepass"))


def show(data, *, primary=False, transient=None, update=False):
    send(
        "item",
        data={
            mime: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for mime, value in data.items()
        },
        primary=primary,
        display_id=str((transient or {}).get("display_id", "")),
        update=update,
    )


class ItemPublisher(DisplayPublisher):
    """What display() shows."""

    def publish(self, data, metadata=None, source=None, *, transient=None, update=False, **_kwargs):
        show(data, transient=transient, update=update)

    def clear_output(self, wait=False):
        """There is no terminal to clear."""


class ValueHook(DisplayHook):
    """The value of the cell's last expression."""

    def write_output_prompt(self):
        pass

    def write_format_data(self, format_dict, md_dict=None):
        show(format_dict, primary=True)

    def finish_displayhook(self):
        pass


class Shell(InteractiveShell):
    displayhook_class = Type(ValueHook)
    display_pub_class = Type(ItemPublisher)

    def init_history(self):
        super().init_history()
        self.history_manager.enabled = False

    def enable_gui(self, gui=None):
        pass

    def enable_matplotlib(self, gui=None):
        return "inline", "inline"

    def showtraceback(self, *args, **kwargs):
        """Told in the answer, not printed."""

    def showsyntaxerror(self, *args, **kwargs):
        """Likewise."""

    def ask_exit(self):
        """exit() in a cell ends nothing: the context has its own way to be closed."""

    def system(self, cmd):
        """`!command`: there is no terminal here, so the child simply shares the kernel's streams."""
        sys.stdout.flush()
        sys.stderr.flush()
        self.user_ns["_exit_code"] = subprocess.call(self.var_expand(cmd, depth=1), shell=True)  # noqa: S602

    system_piped = system_raw = system


def told(shell, error):
    """An exception as the answer's `error`."""
    value = str(error)
    if isinstance(error, SyntaxError):
        lines = shell.SyntaxTB.structured_traceback(type(error), error, None)
    else:
        frames = error.__traceback__
        # The frames of IPython itself say nothing about the cell.
        while frames is not None and "/IPython/" in frames.tb_frame.f_code.co_filename:
            frames = frames.tb_next
        try:
            lines = shell.InteractiveTB.structured_traceback(type(error), error, frames or error.__traceback__)
        except Exception:
            lines = traceback.format_exception(error)
    return {
        "name": type(error).__name__,
        "value": value,
        "traceback": COLOURS.sub("", "\n".join(lines)),
    }


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


class Kernel:
    def __init__(self):
        self.shell = Shell.instance(colors="nocolor", xmode="Context")
        self.shell.run_line_magic("automagic", "off")
        self.cells = queue.SimpleQueue()
        self.busy = False
        self.streamed = False
        self.figures_ready = False
        self.stdin = Input()
        self.lines = sys.stdin = io.TextIOWrapper(io.BufferedReader(self.stdin), "utf-8", errors="replace")
        builtins.input = self.input
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def input(self, prompt=""):
        __tracebackhide__ = True
        if not self.streamed:
            raise EOFError(NO_INPUT)
        sys.stdout.write(prompt)
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\n")

    def listen(self):
        """In a thread of its own."""
        while message := receive():
            if message["do"] == "execute":
                self.stdin.begin(message["streamed"], message["written"])
                self.cells.put(message)
            elif message["do"] == "input_end":
                self.stdin.end_after(message["written"])
            elif message["do"] == "interrupt" and self.busy:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        os._exit(0)

    def serve(self):
        threading.Thread(target=self.listen, daemon=True).start()
        send("ready")
        while True:
            try:
                cell = self.cells.get()
                self.run(cell)
            except KeyboardInterrupt:
                # It came between two cells.
                continue

    def end_input(self):
        self.stdin.drop()
        if not self.stdin.used:
            return
        self.stdin.used = False
        left = self.lines
        with contextlib.suppress(ValueError):  # a cell has closed it
            left.detach().detach()
            self.lines = io.TextIOWrapper(io.BufferedReader(self.stdin), "utf-8", errors="replace")
            if sys.stdin is left:
                sys.stdin = self.lines

    def run(self, cell):
        os.environ.update(cell["env"])
        self.streamed = cell["streamed"]
        error = None
        try:
            self.busy = True
            result = self.loop.run_until_complete(self.execute(cell["code"]))
            error = result.error_before_exec or result.error_in_exec
            self.show_figures()
        except KeyboardInterrupt as interrupt:
            error = interrupt
        except BaseException as other:
            error = other
        finally:
            self.busy = False
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        self.end_input()
        send("done", error=None if error is None else told(self.shell, error))

    async def execute(self, code):
        shell = self.shell
        transformed = shell.transform_cell(code)
        if shell.should_run_async(code, transformed_cell=transformed):
            return await shell.run_cell_async(code, store_history=True, transformed_cell=transformed)
        return shell.run_cell(code, store_history=True)

    def show_figures(self):
        """Figures that a cell drew and did not show; matplotlib is not loaded for those that draw none."""
        if "matplotlib.pyplot" not in sys.modules:
            return
        # Not at the top: it loads what most contexts never need.
        from matplotlib_inline import backend_inline  # noqa: PLC0415

        if not self.figures_ready:
            self.figures_ready = True
            backend_inline.configure_inline_support(self.shell, "module://matplotlib_inline.backend_inline")
        backend_inline.flush_figures()


if __name__ == "__main__":
    os.set_inheritable(CHANNEL, False)
    os.chdir("/work")
    sys.path[0] = ""
    sys.argv = [""]
    kernel = Kernel()
    kernel.serve()
