"""A result in the words of the pages: the playground's, and those of runs that are over."""

from dataclasses import dataclass
from typing import Final

from execution.results import text_of
from execution.sandbox.job import Outcome, Result

MIB = 1024 * 1024
# As much as a person reads; the API returns the rest.
SHOWN_BYTES = 64 * 1024

_NOTES = {
    Outcome.COMPILE_ERROR: "It did not compile.",
    Outcome.TIME_LIMIT: "Ended: it ran longer than the time limit.",
    Outcome.MEMORY_LIMIT: "Ended: it used more memory than it may.",
    Outcome.OUTPUT_LIMIT: "Ended: it printed more than is kept.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A result in the words of the page: seconds with four decimals, memory in MB."""

    result: Result

    @property
    def exit_code(self) -> int:
        return self.result.exit_code

    @property
    def signal(self) -> int | None:
        return self.result.signal

    @property
    def is_compile_error(self) -> bool:
        return self.result.outcome is Outcome.COMPILE_ERROR

    @property
    def time(self) -> str:
        return f"{self.result.wall_seconds:.4f}"

    @property
    def compile_time(self) -> str:
        """Empty when there was nothing to compile."""
        seconds = self.result.compile_seconds
        return "" if seconds is None else f"{seconds:.4f}"

    @property
    def memory_mb(self) -> str:
        return f"{self.result.memory_bytes / MIB:.1f}"

    @property
    def note(self) -> str:
        return _NOTES.get(self.result.outcome, "")

    @property
    def output(self) -> str:
        return _text(self.result.stdout, cut=self.result.stdout_truncated)

    @property
    def output_truncated(self) -> bool:
        return self.result.stdout_truncated or len(self.result.stdout) > SHOWN_BYTES

    @property
    def error(self) -> str:
        return _text(self._error, cut=self.result.stderr_truncated)

    @property
    def error_truncated(self) -> bool:
        return self.result.stderr_truncated or len(self._error) > SHOWN_BYTES

    @property
    def _error(self) -> bytes:
        return self.result.compile_output if self.is_compile_error else self.result.stderr


# What a terminal would obey is shown as a picture of it, and obeyed by nobody. Tabs and ends of lines are text.
_CONTROLS: Final = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}


def _text(data: bytes, *, cut: bool) -> str:
    return text_of(data[:SHOWN_BYTES], cut=cut or len(data) > SHOWN_BYTES).translate(_CONTROLS)
