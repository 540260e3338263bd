"""The table of hostile cells: what a context is given, one cell after the other, and how the last must end. Programs of
`programs/` are cells too."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from execution.sandbox.cells import CellOutcome, CellResult
from tests.abuse.rows import PROGRAMS
from tests.abuse.verdicts import every_attempt_refused

Check = Callable[[CellResult], None]

# For those that only time ends.
SECONDS = 3.0
# Writes to the channel what the kernel would.
FORGED = """
import json, os, struct
def tell(**message):
    body = json.dumps(message).encode()
    os.write(3, struct.pack("!I", len(body)) + body)
"""

# Rows that are no single cell: test_contexts.py has a test for each.
CONTEXTS_APART = {44, 45, 50}


@dataclass(frozen=True)
class ContextRow:
    """`number` is that of the table in docs/security.md. `after`: "usable" when the context must take cells with its
    state kept, "ended" when it must say that it has lost it, "misled" when it has told lies about itself, and may go on
    to be wrong. After the last two it is as new once it is restarted."""

    number: int
    name: str
    cells: tuple[str, ...]
    outcomes: frozenset[CellOutcome]
    after: Literal["usable", "ended", "misled"] = "usable"
    seconds: float = 25.0
    check: Check | None = None
    kernel: str = "python"

    def __str__(self) -> str:
        return f"{self.number}-{self.name}-{self.kernel}"


def prints(expected: bytes) -> Check:
    def check(result: CellResult) -> None:
        assert result.stdout == expected, result

    return check


def shown_as_data(result: CellResult) -> None:
    """What is hostile in a page is text here, under its type; who shows it decides."""
    shown = {mime: value for item in result.items for mime, value in item.data.items() if mime != "text/plain"}
    assert shown["text/html"] == "<script>alert(1)</script>\x1b[2J"
    assert shown["image/svg+xml"] == "<svg onload='alert(1)'/>"
    assert result.error is not None
    assert "\x1b[31m" not in result.error.traceback


def _program(name: str) -> tuple[str, ...]:
    return ((PROGRAMS / name).read_text(encoding="utf-8"),)


SUCCESS = frozenset({CellOutcome.SUCCESS})
FAILS = frozenset({CellOutcome.ERROR})
ENDED = frozenset({CellOutcome.ENDED})
TIME = frozenset({CellOutcome.TIME_LIMIT})
MEMORY = frozenset({CellOutcome.MEMORY_LIMIT})
OUTPUT = frozenset({CellOutcome.OUTPUT_LIMIT})

IGNORES_SIGNALS = """
import signal
for number in range(1, 32):
    try: signal.signal(number, signal.SIG_IGN)
    except OSError: pass
while True: pass"""
KILLS_ALL = """
import os
try: os.kill(-1, 9)
except ProcessLookupError: os.kill(os.getpid(), 9)"""
SHOWS_SCRIPTS = """
from IPython.display import display
html, svg = "<script>alert(1)</script>\x1b[2J", "<svg onload='alert(1)'/>"
display({"text/html": html, "image/svg+xml": svg}, raw=True)
raise ValueError("\x1b[31mred")"""
WRITES_PROGRAM = f"open('look.py', 'w').write({_program('open_descriptors.py')[0]!r})"
SPAWNS = """
import { spawnSync } from "node:child_process";
const open = "ls /proc/self/fd; test -e /proc/$$/fd/3 && echo ALLOWED";
console.log(spawnSync("/bin/sh", ["-c", open]).stdout.toString().trim().split("\\n").join(" "))"""

CONTEXT_ROWS = [
    ContextRow(
        1,
        "fork bomb",
        ("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",),
        TIME | ENDED,
        after="ended",
        seconds=SECONDS,
    ),
    ContextRow(2, "daemon", ("import os\nif os.fork() == 0:\n    os.setsid()\n    while True: pass",), SUCCESS),
    ContextRow(4, "memory bomb", ("x = []\nwhile True: x.append(bytearray(10**7))",), MEMORY, after="ended"),
    ContextRow(
        4,
        "memory bomb",
        ("const x = []; for (;;) x.push(Buffer.alloc(1e7, 1))",),
        MEMORY,
        after="ended",
        kernel="typescript",
    ),
    ContextRow(12, "endless output", ("while True: print('y' * 1000)",), OUTPUT),
    ContextRow(
        12,
        "endless output",
        ("for (;;) console.log('y'.repeat(1000))",),
        OUTPUT | TIME,
        kernel="typescript",
        seconds=SECONDS,
    ),
    ContextRow(17, "sleeps", ("import time; time.sleep(1000)",), TIME, seconds=SECONDS),
    ContextRow(19, "ignores signals", (IGNORES_SIGNALS,), ENDED, after="ended", seconds=SECONDS),
    ContextRow(20, "stops itself", ("import os; os.kill(os.getpid(), 19)",), ENDED, after="ended", seconds=SECONDS),
    ContextRow(20, "kills all", (KILLS_ALL,), ENDED, after="ended"),
    ContextRow(21, "looks around", _program("looks_around.py"), SUCCESS, check=every_attempt_refused),
    ContextRow(
        22, "reaches into processes", _program("reaches_into_processes.py"), SUCCESS, check=every_attempt_refused
    ),
    ContextRow(23, "reaches the network", _program("reaches_the_network.py"), SUCCESS, check=every_attempt_refused),
    ContextRow(41, "forges an answer", (FORGED, "tell(event='done', error=None)"), SUCCESS, after="misled"),
    ContextRow(41, "tells nonsense", ("import os\nwhile True: os.write(3, b'\\xff' * 65536)",), ENDED, after="ended"),
    ContextRow(41, "closes its channel", ("import os; os.close(3)",), ENDED, after="ended"),
    ContextRow(42, "shows scripts", (SHOWS_SCRIPTS,), FAILS, check=shown_as_data),
    ContextRow(44, "endless cell", ("while True: pass",), TIME, seconds=SECONDS),
    ContextRow(44, "endless cell", ("for (;;) {}",), TIME, kernel="typescript", seconds=SECONDS),
    ContextRow(
        45, "leaves everything", _program("leaves_everything.py"), ENDED, after="ended", check=prints(b"left\n")
    ),
    ContextRow(47, "socket families", _program("socket_families.py"), SUCCESS, check=every_attempt_refused),
    ContextRow(
        49,
        "what a child has open",
        (WRITES_PROGRAM, "import os; os.system('python3.14 look.py') and None"),
        SUCCESS,
        check=prints(b"[0, 1, 2] /work\n"),
    ),
    ContextRow(49, "what a child has open", (SPAWNS,), SUCCESS, check=prints(b"0 1 2 3\n"), kernel="typescript"),
]
