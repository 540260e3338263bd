"""One client's session, from the choice of its language to the end of its connection: what it asks and is answered."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from accounts.caller import Caller
from config.errors import Conflict, NotFound
from execution.realtime.outbox import Outbox
from execution.repl import tools
from execution.repl.debugging import Debugging
from execution.repl.evaluations import (
    Screen,
    Value,
    close_console,
    open_console,
    program_of,
    run_in_console,
    run_program,
)
from execution.repl.files import SessionFiles
from execution.repl.lanes import Lane, Work
from execution.repl.languages import Language
from execution.repl.messages import Message, json_message, message
from execution.repl.projects import project_of, suite_of
from execution.requests import RunRequest
from execution.sandbox.job import MIB
from execution.sandbox.live import MOST_INPUT, Live

_STATE_LOST: Final = "Nobody used this console for a while, so it was closed and its state is gone. Send this again."

Answers = Awaitable[list[Message]]


class Session:
    """Runs wait for runs, tools for tools and files for files; input and stopping wait for nothing. `scope` is whose
    consoles these are: this connection's alone."""

    def __init__(self, caller: Caller, language: Language, outbox: Outbox, *, scope: str) -> None:
        self._caller = caller
        self._language = language
        self._outbox = outbox
        self._scope = scope
        self._files = SessionFiles(scope)
        self._debugging = Debugging(caller, language, scope=scope)
        self._opening: asyncio.Task[str] | None = None
        self._screen: Screen | None = None
        # What was typed ahead of the program that will read it.
        self._typed = b""
        self._runs, self._tools, self._looks = Lane(outbox), Lane(outbox), Lane(outbox)
        self._requests: dict[str, tuple[Lane, Callable[[str], Answers], Callable[[str, str], Message]]] = {
            "eval": (self._runs, self._evaluate, _result),
            "runProject": (self._runs, self._run_project, _result),
            "runUnitTests": (self._runs, self._run_tests, _result),
            "debuggerStart": (self._runs, self._start_debugger, _result),
            "debuggerStep": (self._runs, self._step, _no_break),
            "lint": (self._tools, self._lint, lambda _data, why: message("lintResult", "[]", why)),
            "format": (self._tools, self._format, lambda _data, why: message("formatResult", "", why)),
            "fileContents": (self._looks, self._read, lambda path, why: message(f"file:{path or '.'}", "", why)),
            "removeFile": (self._looks, self._remove, lambda _path, why: message("removeFile", "", why)),
            "changedFiles": (self._looks, self._changed, lambda _data, why: message("files", "[]", why)),
        }

    async def open(self) -> None:
        """Gets ready for the first evaluation. Raises LimitExceeded and Unavailable."""
        if self._language.kernel is not None:
            await self._console(self._language.kernel)

    async def hear(self, command: str, data: str) -> None:
        """Answers a message of the client, or sees to it that it will be."""
        if command in self._requests:
            lane, answer, refused = self._requests[command]
            lane.put(Work(lambda: answer(data), lambda why: refused(data, why)))
        elif command in ("stop", "reset"):
            await self.reset()
            self._outbox.put(message("ready"))
        elif command == "input":
            self._type(data.encode("utf-8", "replace"))
        elif command == "ping":
            self._outbox.put(message("pong"))
        elif command != "pong":
            self._outbox.put(message("error", f"“{command[:40]}” is no command here."))

    async def reset(self) -> None:
        """Ends what runs, without a word, and all state with it."""
        await self._runs.clear()
        await self._forget()

    async def end(self, *, why: str = "") -> None:
        """The session is over; what is pending is answered with `why`."""
        for lane in (self._runs, self._tools, self._looks):
            await lane.clear(why=why)
        await self._forget()

    async def _forget(self) -> None:
        console = self._files.console
        self._files.forget()
        self._typed = b""
        if (opening := self._opening) is not None:
            self._opening = None
            await asyncio.wait([opening])
            console = None if opening.exception() else opening.result()
        if console is not None:
            await close_console(console, scope=self._scope)
        await self._debugging.close()

    # --- running ---

    async def _evaluate(self, code: str) -> list[Message]:
        kernel = self._language.kernel
        if kernel is None:
            return await self._run(program_of(self._language, code))
        console = await self._console(kernel)
        self._files.left({})
        try:
            with self._watched(hold_errors=False) as screen:
                value = await run_in_console(self._caller, console, code, screen, scope=self._scope, feeds=True)
        except (NotFound, Conflict):
            self._files.forget()
            return [message("result", "", _STATE_LOST)]
        if value.lost:
            self._files.forget()
            await close_console(console, scope=self._scope)
        return [_result_of(value)]

    async def _run_project(self, data: str) -> list[Message]:
        return await self._run(project_of(self._language, data))

    async def _run(self, request: RunRequest) -> list[Message]:
        with self._watched(hold_errors=True) as screen:
            value = await run_program(self._caller, request, screen)
        self._files.left(value.files)
        return [_result_of(value)]

    async def _run_tests(self, data: str) -> list[Message]:
        files, suite = suite_of(data)
        try:
            found = await tools.unit_tests(self._caller, self._language.name, files, suite)
        except tools.ToolRefused as refused:
            return [message("result", "", str(refused))]
        error = found.pop("error", "")
        return [{**json_message("result", found), **({"error": error} if error else {})}]

    async def _start_debugger(self, code: str) -> list[Message]:
        await self._debugging.close()
        with self._watched(hold_errors=False) as screen:
            value = await self._debugging.start(code, screen)
        return [_result_of(value) if value.error else message("debuggerReady")]

    async def _step(self, _data: str) -> list[Message]:
        with self._watched(hold_errors=False) as screen:
            at, value = await self._debugging.step(screen)
        return [json_message("debuggerBreak", at), *([] if value is None else [_result_of(value)])]

    async def _console(self, kernel: str) -> str:
        if self._files.console is None:
            opening = self._opening = asyncio.create_task(open_console(self._caller, kernel, scope=self._scope))
            try:
                # Seen through when it is stopped meanwhile, or nobody would know what to close.
                self._files.console = await asyncio.shield(opening)
            finally:
                if opening.done():
                    self._opening = None
        return self._files.console

    @contextmanager
    def _watched(self, *, hold_errors: bool) -> Iterator[Screen]:
        """A screen for what runs in the block, which gets what its client types."""
        self._screen = Screen(self._show, hold_errors=hold_errors)
        typed, self._typed = self._typed, b""
        if typed:
            self._screen.live.write(typed)
        try:
            yield self._screen
        finally:
            self._screen = None

    def _show(self, live: Live, text: str) -> None:
        self._outbox.output(live, "output", text, lambda _stream, shown: message("output", shown))

    def _type(self, data: bytes) -> None:
        if self._screen is not None:
            taken = self._screen.live.write(data)
        elif taken := len(self._typed) + len(data) <= MOST_INPUT:
            self._typed += data
        if not taken:
            self._outbox.put(message("error", f"Programs take at most {MOST_INPUT // MIB} MB of input at a time."))

    # --- tools ---

    async def _lint(self, code: str) -> list[Message]:
        try:
            return [json_message("lintResult", await tools.lint(self._caller, self._language.name, code))]
        except tools.ToolRefused as refused:
            return [message("lintResult", "[]", str(refused))]

    async def _format(self, code: str) -> list[Message]:
        try:
            return [message("formatResult", await tools.format_code(self._caller, self._language.name, code))]
        except tools.ToolRefused as refused:
            return [message("formatResult", "", str(refused))]

    # --- files ---

    async def _read(self, path: str) -> list[Message]:
        return [message(f"file:{path or '.'}", await self._files.read(path))]

    async def _remove(self, path: str) -> list[Message]:
        await self._files.remove(path)
        return [message("removeFile")]

    async def _changed(self, _data: str) -> list[Message]:
        return [json_message("files", await self._files.changed())]


def _result(_data: str, why: str) -> Message:
    return message("result", "", why)


def _no_break(_data: str, why: str) -> Message:
    # Whoever waits for a step gets one in any case.
    return {**json_message("debuggerBreak", {"done": True, "stack": []}), "error": why}


def _result_of(value: Value) -> Message:
    return message("result", value.data, value.error)
