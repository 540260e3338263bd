"""The kernel of a plain Python console, behind the channel on descriptor 3 (execution/sandbox/channel.py).

It answers as the interpreter itself does: the repr of the last expression, None not at all, `_`, and tracebacks of the
user's frames alone. Cells run in the main thread; a second one reads the channel, so that an interrupt gets through
while a cell runs.
"""

import ast
import builtins
import contextlib
import io
import linecache
import os
import queue
import signal
import sys
import threading
import traceback
import types

import kernel_channel

# Of so many cells the source is kept, for tracebacks that lead through them.
MOST_SOURCES = 1000


def told(error):
    """An exception as the answer's `error`."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    try:
        value = str(error)
        text = "".join(traceback.format_exception(type(error), error, frames)).rstrip("\n")
    except Exception as broken:
        # It has a __str__ of its own that fails.
        value, text = "", f"{type(error).__name__} (and {type(broken).__name__} while it was told)"
    return {"name": type(error).__name__, "value": value, "traceback": text}


class Kernel:
    def __init__(self):
        self.module = types.ModuleType("__main__")
        sys.modules["__main__"] = self.module
        self.names = vars(self.module)
        self.cells = queue.SimpleQueue()
        self.busy = False
        self.count = 0
        self.pid = os.getpid()
        self.stdin = self.given = sys.stdin
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def listen(self):
        """In a thread of its own."""
        while message := kernel_channel.receive():
            if message["do"] == "execute":
                self.cells.put(message)
            elif message["do"] == "interrupt" and self.busy:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        os._exit(0)

    def serve(self):
        threading.Thread(target=self.listen, daemon=True).start()
        kernel_channel.send("ready")
        while True:
            # An interrupt may come between two cells.
            with contextlib.suppress(KeyboardInterrupt):
                self.run(self.cells.get())

    def run(self, cell):
        os.environ.update(cell["env"])
        self.give_input(streamed=cell["streamed"])
        error = None
        try:
            self.busy = True
            self.execute(cell["code"])
        except SystemExit as left:
            # exit() in a console leaves it; here there is nothing to leave, but the code may say what went wrong.
            error = None if left.code in (None, 0) else left
        except BaseException as other:
            error = other
        finally:
            self.busy = False
        if os.getpid() != self.pid:
            # A child that the cell forked has come to the end of the cell.
            os._exit(0)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        kernel_channel.send("done", error=None if error is None else told(error))

    def give_input(self, *, streamed):
        """None at all where nobody feeds the cell, instead of waiting for it. A stream of the user's own stays."""
        if sys.stdin is not self.given:
            return
        if self.stdin.closed:
            # By exit().
            self.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdin = self.given = self.stdin if streamed else io.StringIO()

    def execute(self, code):
        name = f"<python-input-{self.count}>"
        self.count += 1
        linecache.cache[name] = len(code), None, [line + "\n" for line in code.splitlines()], name
        linecache.cache.pop(f"<python-input-{self.count - MOST_SOURCES}>", None)
        tree = compile(code, name, "exec", ast.PyCF_ONLY_AST)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), self.names)  # noqa: S102
        if last is None:
            return
        value = eval(compile(ast.Expression(last.value), name, "eval"), self.names)  # noqa: S307
        # A child that the cell forked comes here too, and has no say in its value.
        if value is not None and os.getpid() == self.pid:
            text = repr(value)
            builtins._ = value
            kernel_channel.send("item", data={"text/plain": text}, primary=True)


if __name__ == "__main__":
    os.chdir("/work")
    sys.path[0] = ""
    sys.argv = [""]
    Kernel().serve()
