"""What `input()` is in kernels: there is no terminal, so the prompt is output and the line is read from the stream."""

import sys


def read_line(prompt):
    __tracebackhide__ = True
    sys.stdout.write(str(prompt))
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")
