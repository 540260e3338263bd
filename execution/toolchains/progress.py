"""What a long installation shows: on a terminal one live line for each thing under way, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TextIO

BAR = 24
PLAIN_EVERY = 5.0  # seconds between two plain lines of the same phase
LIVE_EVERY = 0.1


class Progress:
    """Shows which phase each named thing is in and how far it is. Several threads may tell of their own things.

    On a terminal the lines are drawn over themselves, at most ten times a second; `done` makes a lasting one. Elsewhere
    a line is printed when a thing's phase changes and every few seconds within one.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self._lock = threading.Lock()
        self._phases: dict[str, tuple[str, float]] = {}  # name -> phase, when it was last shown
        self._lines: dict[str, str] = {}  # name -> its live line
        self._drawn = 0  # live lines on the screen

    def show(self, name: str, phase: str, detail: str = "", fraction: float | None = None) -> None:
        """`fraction` (0 to 1) is how much of the thing is done, None when nobody knows."""
        now = time.monotonic()
        with self._lock:
            before, shown_at = self._phases.get(name, ("", 0.0))
            if phase == before and now - shown_at < (LIVE_EVERY if self.live else PLAIN_EVERY):
                return
            self._phases[name] = phase, now
            text = f"{name}: {phase}" + (f" {detail}" if detail else "")
            if self.live:
                filled = round((fraction or 0) * BAR)
                bar = "" if fraction is None else "#" * filled + "." * (BAR - filled) + f" {fraction:4.0%}  "
                self._lines[name] = f"  {bar}{text}"
                self._write(self._erased() + self._redrawn())
            else:
                percent = "" if fraction is None else f"[{fraction:4.0%}] "
                self._write(f"  {percent}{text}\n")

    def done(self, text: str, name: str | None = None) -> None:
        """A line that stays; `name` is what it ends, everything that was shown unless said."""
        with self._lock:
            for ended in [name] if name else list(self._phases):
                self._phases.pop(ended, None)
                self._lines.pop(ended, None)
            self._write(f"{self._erased()}  {text}\n" + self._redrawn())

    def _erased(self) -> str:
        """Takes the cursor to the first live line and clears from there on; it rests at the last one's end."""
        if not self._drawn:
            return ""
        return "\r" + (f"\x1b[{self._drawn - 1}A" if self._drawn > 1 else "") + "\x1b[J"

    def _redrawn(self) -> str:
        self._drawn = len(self._lines)
        try:
            width = os.get_terminal_size(self.stream.fileno()).columns or 80
        except (OSError, ValueError):
            width = 80
        return "\n".join(line[: max(width - 1, 20)] for line in self._lines.values())

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
