"""Python's debugger as a kernel: the first cell is a program, every further one a step to its next line.

Each cell shows `{"done", "stack"}`. The program runs in the main thread, and waits for the next cell inside bdb's call
back; a second thread reads the channel, so that an interrupt gets through while a line runs.
"""

import bdb
import builtins
import contextlib
import linecache
import os
import queue
import signal
import sys
import threading
import traceback
import types

import debugger_stack
import kernel_channel
from kernel_prompt import read_line

PROGRAM = "/work/main.py"
NO_INPUT = "the program has no standard input here: send it while it is debugged"


class Debugger(bdb.Bdb):
    """Stops before each line of the program's own code. `stopped` is called with the frame, and returns to go on."""

    def __init__(self, stopped):
        super().__init__()
        self._stopped = stopped

    def dispatch_call(self, frame, arg):
        # Without a trace function of its own, a library's frame costs next to nothing.
        return super().dispatch_call(frame, arg) if debugger_stack.is_users(frame.f_code) else None

    def user_line(self, frame):
        self._stopped(frame)


class Kernel:
    def __init__(self):
        self.cells = queue.SimpleQueue()
        self.running = False
        self.streamed = False
        self.program = None
        builtins.input = self.input
        # It stops at the next line anyway.
        sys.breakpointhook = lambda *args, **kwargs: None
        signal.signal(signal.SIGINT, self.interrupted)

    def interrupted(self, signum, frame):
        if self.running:
            raise KeyboardInterrupt

    def input(self, prompt=""):
        if not self.streamed:
            raise EOFError(NO_INPUT)
        return read_line(prompt)

    def listen(self):
        """In a thread of its own."""
        while message := kernel_channel.receive():
            if message["do"] == "execute":
                self.cells.put(message)
            elif message["do"] == "interrupt" and self.running:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        os._exit(0)

    def next_cell(self):
        cell = self.cells.get()
        os.environ.update(cell["env"])
        self.streamed = cell["streamed"]
        return cell["code"]

    def answer(self, frames, *, done, error=None):
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        item = {"application/json": {"done": done, "stack": frames}}
        kernel_channel.send("item", data=item, primary=True, display_id="", update=False)
        kernel_channel.send("done", error=error)

    def stopped(self, frame):
        """The program has come to a line of its own."""
        frames = debugger_stack.frames_of(frame)
        self.running = False
        self.answer(frames, done=False)
        self.next_cell()
        self.running = True

    def serve(self):
        threading.Thread(target=self.listen, daemon=True).start()
        kernel_channel.send("ready")
        code = self.next_cell()
        error = None
        try:
            self.program = compile(code, PROGRAM, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
            error = told(fault)
        # Tracebacks quote it, and it need not lie there as a file.
        linecache.cache[PROGRAM] = (len(code), None, code.splitlines(keepends=True), PROGRAM)
        self.answer([], done=self.program is None, error=error)
        while True:
            self.next_cell()
            error = self.run() if self.program is not None else None
            self.program = None
            self.answer([], done=True, error=error)

    def run(self):
        """From the first line to the end; the exception that ended it."""
        module = types.ModuleType("__main__")
        module.__file__ = PROGRAM
        sys.modules["__main__"] = module
        try:
            self.running = True
            Debugger(self.stopped).run(self.program, module.__dict__)
        except SystemExit as ended:
            if isinstance(ended.code, str):
                sys.stderr.write(f"{ended.code}\n")
            return None
        except BaseException as fault:
            return told(fault)
        finally:
            self.running = False
        return None


def told(error):
    """An exception as the answer's `error`; the traceback begins in the program."""
    frames = error.__traceback__
    while frames is not None and not debugger_stack.is_users(frames.tb_frame.f_code):
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames)
    return {"name": type(error).__name__, "value": str(error), "traceback": "".join(lines).rstrip("\n")}


if __name__ == "__main__":
    os.chdir("/work")
    sys.path[0] = "/work"
    sys.argv = [PROGRAM]
    Kernel().serve()
