"""What a long installation shows: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from typing import TextIO

BAR = 24
PLAIN_EVERY = 5.0  # seconds between two plain lines of the same phase


class Progress:
    """Shows which phase a named thing is in and how far it is.

    On a terminal the line is drawn over itself, at most ten times a second; `done` makes it a lasting one.
    Elsewhere a line is printed when the phase changes and every few seconds within one.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self._phase = ""
        self._shown_at = 0.0

    def show(self, name: str, phase: str, detail: str = "", fraction: float | None = None) -> None:
        """`fraction` (0 to 1) is how much of the whole installation is done, None when nobody knows."""
        now = time.monotonic()
        changed = phase != self._phase
        if not changed and now - self._shown_at < (0.1 if self.live else PLAIN_EVERY):
            return
        self._phase, self._shown_at = phase, now
        text = f"{name}: {phase}" + (f" {detail}" if detail else "")
        if self.live:
            self._draw(text, fraction)
        else:
            percent = "" if fraction is None else f"[{fraction:4.0%}] "
            self._write(f"  {percent}{text}\n")

    def done(self, text: str) -> None:
        """A line that stays."""
        self._write(("\r\x1b[2K" if self.live else "") + f"  {text}\n")
        self._phase = ""

    def _draw(self, text: str, fraction: float | None) -> None:
        filled = round((fraction or 0) * BAR)
        bar = "" if fraction is None else "#" * filled + "." * (BAR - filled) + f" {fraction:4.0%}  "
        try:
            width = os.get_terminal_size(self.stream.fileno()).columns or 80
        except (OSError, ValueError):
            width = 80
        self._write("\r\x1b[2K" + f"  {bar}{text}"[: max(width - 1, 20)])

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
