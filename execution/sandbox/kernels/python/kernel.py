"""The Python kernel: IPython's InteractiveShell behind the channel on descriptor 3 (execution/sandbox/channel.py).

Cells run in the main thread; a second one reads the channel, so that an interrupt gets through while a cell runs.
"""

import asyncio
import base64
import builtins
import contextlib
import io
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import traceback

import kernel_channel
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from kernel_input import Input
from kernel_prompt import read_line
from traitlets import Type

# Terminal colours: whoever reads a traceback here reads it in a page or a log.
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
NO_INPUT = "this cell has no standard input: send it with the request, or stream the cell to answer while it runs"


def show(data, *, primary=False, transient=None, update=False):
    kernel_channel.send(
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
        return read_line(prompt)

    def listen(self):
        """In a thread of its own."""
        while message := kernel_channel.receive():
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
        kernel_channel.send("ready")
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
        kernel_channel.send("done", error=None if error is None else told(self.shell, error))

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
    os.set_inheritable(kernel_channel.CHANNEL, False)
    os.chdir("/work")
    sys.path[0] = ""
    sys.argv = [""]
    kernel = Kernel()
    kernel.serve()
