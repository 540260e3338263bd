"""A sandbox's `Result` in the words of the public API: eight fields, and more for those who ask for them."""

import base64
import codecs
from typing import Any, Final

from execution.sandbox.job import Outcome, OutputFile, Result

SHOWN_CHARACTERS: Final = 999
# No code point takes more bytes of UTF-8, and no invalid byte makes more than one U+FFFD.
BYTES_PER_CHARACTER: Final = 4


def text_of(data: bytes, *, cut: bool) -> str:
    """Program output as text: what is not UTF-8 becomes U+FFFD. `cut`: more followed and was not kept, so a character
    that is not complete at the end is left out instead of being taken for broken."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(data, final=not cut)


def shown(data: bytes, *, cut: bool) -> tuple[str, bool]:
    """The first 999 characters of an output, and whether the output had more."""
    # Two characters more than are shown: the last of this slice may be incomplete, the one before shows that
    # there are more. Decoding a megabyte for 999 characters would take a hundred times as long.
    enough = (SHOWN_CHARACTERS + 2) * BYTES_PER_CHARACTER
    text = text_of(data[:enough], cut=cut or len(data) > enough)
    return text[:SHOWN_CHARACTERS], cut or len(text) > SHOWN_CHARACTERS


def error_of(result: Result) -> bytes:
    """What went to standard error: the program's, or the compiler's messages when the program did not compile."""
    return result.compile_output if result.outcome is Outcome.COMPILE_ERROR else result.stderr


def answer_of(result: Result, *, extended: bool, with_files: bool) -> dict[str, Any]:
    """The JSON object of a result. `with_files`: the request named output files, so they are part of it."""
    output, error = result.stdout, error_of(result)
    shown_output, more_output = shown(output, cut=result.stdout_truncated)
    shown_error, more_error = shown(error, cut=result.stderr_truncated)
    answer: dict[str, Any] = {
        "output": shown_output,
        "error": shown_error,
        "status": "success" if result.exit_code == 0 else "error",
        "exit_code": result.exit_code,
        "signal": result.signal,
        "time": _seconds(result.wall_seconds),
        "total": _seconds(result.total_seconds),
        "memory": str(result.memory_bytes // 1024),
    }
    if extended:
        answer |= {
            "outcome": result.outcome.value,
            "truncated": {"output": more_output, "error": more_error},
            "output_base64": _base64(output),
            "error_base64": _base64(error),
            "cpu_time": _seconds(result.cpu_seconds),
            "compile_time": None if result.compile_seconds is None else _seconds(result.compile_seconds),
            "compile_output": text_of(result.compile_output, cut=False),
            "cached": result.cached,
        }
    if extended or with_files:
        answer["files"] = [_file(file) for file in result.files]
    return answer


def _seconds(value: float) -> str:
    return f"{value:.4f}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _file(file: OutputFile) -> dict[str, Any]:
    return {"path": file.path, "size": file.size, "base64": _base64(file.content)}
