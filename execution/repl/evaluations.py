"""One evaluation: a cell of a console that remembers, or a program of its own; and what came of it in either case."""

import codecs
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from accounts.caller import Caller
from billing.subscriptions import plan_for
from config.errors import FieldError, InvalidRequest
from execution.capacity import limits_for
from execution.contexts.answers import error_of
from execution.contexts.cells import Watcher, run_cell, told
from execution.contexts.requests import ExecuteRequest
from execution.program_fields import CODE_BYTES
from execution.repl.languages import Language
from execution.requests import RunRequest
from execution.results import text_of
from execution.runs import check_toolchain, run_code
from execution.sandbox.cells import CellOutcome, CellResult
from execution.sandbox.context_client import ContextClient
from execution.sandbox.errors import ContextUnknown
from execution.sandbox.job import Outcome, OutputFile, Result
from execution.sandbox.live import Live
from execution.sandbox_clients import sandbox_client

# Of a value's text, in characters.
MOST_VALUE: Final = 256 * 1024
# What a program of its own leaves in its work dir, for whoever asks for it afterwards.
ALL_FILES: Final = ("*", "**/*")

_ENDED: Final = {
    Outcome.TIME_LIMIT: "The program took longer than its time and was ended.",
    Outcome.MEMORY_LIMIT: "The program needed more memory than it may have and was ended.",
    Outcome.OUTPUT_LIMIT: "The program printed more than is kept and was ended.",
}


@dataclass(frozen=True, slots=True)
class Value:
    """What an evaluation came to: the value as its console prints it, the error that ended it, and the files that a
    program of its own has left. `lost`: the console has lost its state."""

    data: str = ""
    error: str = ""
    files: Mapping[str, OutputFile] = field(default_factory=dict)
    lost: bool = False


class Screen:
    """The output of one evaluation for its client: whole characters, as they come. What a program of its own writes to
    standard error is held back to its end, when it is known whether it is an error or just output."""

    def __init__(self, show: Callable[[Live, str], None], *, hold_errors: bool) -> None:
        self.live = Live(on_output=self._on_output)
        self._show = show
        self._hold_errors = hold_errors
        self._decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")}

    def show(self, text: str) -> None:
        if text:
            self._show(self.live, text)

    def _on_output(self, stream: str, data: bytes) -> None:
        if stream == "stdout" or not self._hold_errors:
            self.show(self._decoders[stream].decode(data))


def check_code(code: str) -> str:
    """The code itself. Raises InvalidRequest for more than may be sent."""
    size = len(code.encode("utf-8", "surrogatepass"))
    if size > CODE_BYTES:
        text = f"Has {size:,} bytes of UTF-8; at most {CODE_BYTES:,} are allowed."
        raise InvalidRequest(f"code: {text}", errors=[FieldError("code", text)])
    return code


# --- programs of their own ---


def program_of(language: Language, code: str) -> RunRequest:
    """The request that runs `code` as a program. Raises InvalidRequest."""
    compiler = language.compiler
    content = check_code(code).encode("utf-8", "replace")
    name = compiler.file_name
    return RunRequest(compiler=compiler, files={name: content}, entrypoint=name, output_files=ALL_FILES)


async def run_program(caller: Caller, request: RunRequest, screen: Screen) -> Value:
    """Runs a program to its end. Raises what `run_code` raises; cancelling it kills the program."""
    answer = await run_code(caller=caller, request=request, live=screen.live)
    result = answer.result
    errors = text_of(result.stderr, cut=result.stderr_truncated)
    files = {file.path: file for file in result.files if file.path not in request.files}
    if result.outcome is Outcome.SUCCESS:
        screen.show(errors)
        return Value(files=files)
    return Value(error=_error_of(result, errors), files=files)


def _error_of(result: Result, errors: str) -> str:
    if result.outcome is Outcome.COMPILE_ERROR:
        return text_of(result.compile_output, cut=False) or errors or "The program does not compile."
    if ended := _ENDED.get(result.outcome):
        return f"{errors}\n{ended}" if errors else ended
    if errors:
        return errors
    if result.signal is not None:
        return f"The program was killed by {signal.Signals(result.signal).name}."
    return f"The program ended with exit status {result.exit_code}."


# --- consoles ---


async def open_console(caller: Caller, kernel: str, *, scope: str) -> str:
    """The id of a new console. Raises LimitExceeded and Unavailable."""
    plan = await plan_for(caller.organisation_id)
    async with told():
        info = await ContextClient(sandbox_client()).open(
            scope=scope,
            kernel=kernel,
            limits=limits_for(plan),
            idle_seconds=plan.context_idle_seconds,
            # The scope is one client's, whose connection has a seat: a console, and a program that is debugged.
            most=2,
        )
    return info.id


async def close_console(context_id: str, *, scope: str) -> None:
    """Ends the console with all that runs in it; nothing where it has ended already."""
    with suppress(ContextUnknown):
        await ContextClient(sandbox_client()).close(scope=scope, context_id=context_id)


async def run_in_console(
    caller: Caller, context_id: str, code: str, screen: Screen, *, scope: str, feeds: bool
) -> Value:
    """Evaluates code in a console. Raises what `run_cell` raises; cancelling it interrupts the code."""
    request = ExecuteRequest(code=check_code(code), context_id=context_id)
    watcher = Watcher(screen.live, lambda _id, _headers: None, lambda _item: None, feeds=feeds)
    answer = await run_cell(caller=caller, request=request, watcher=watcher, scope=scope)
    result = answer.result
    return Value(_value_of(result), cell_error(result), lost=lost(result))


def lost(result: CellResult) -> bool:
    """Whether the cell took its console along."""
    return result.outcome in (CellOutcome.MEMORY_LIMIT, CellOutcome.ENDED)


def _value_of(result: CellResult) -> str:
    shown = next((item.data for item in reversed(result.items) if item.primary), {})
    text = str(shown.get("text/plain", ""))
    return text if len(text) <= MOST_VALUE else f"{text[:MOST_VALUE]}…"


def cell_error(result: CellResult) -> str:
    """The traceback of a cell that failed, and why it was stopped where it was; empty for one that did not."""
    error = error_of(result)
    if error is None:
        return ""
    words = "" if result.outcome is CellOutcome.ERROR else f"{error['name']}: {error['value']}"
    return "\n".join(part for part in (error["traceback"], words) if part) or error["name"]


# --- either ---


async def evaluate_once(caller: Caller, language: Language, code: str, screen: Screen) -> Value:
    """Evaluates code with nothing before it and nothing after. Raises InvalidRequest, LimitExceeded, Unavailable."""
    if language.kernel is None:
        screen.live.end_input()
        return await run_program(caller, program_of(language, code), screen)
    check_toolchain(language.compiler)
    check_code(code)
    scope = f"once-{uuid4().hex}"
    context_id = await open_console(caller, language.kernel, scope=scope)
    try:
        return await run_in_console(caller, context_id, code, screen, scope=scope, feeds=False)
    finally:
        await close_console(context_id, scope=scope)
