"""A program that is debugged: it stops at each line, and goes on to the next with each step.

Its kernel takes the program as its first cell, and every further cell is a step, which shows where the program stands
now as JSON: `done`, and `stack` with `function`, `file`, `line` and `locals`, the innermost frame first.
"""

from typing import Any, Final

from accounts.caller import Caller
from billing.subscriptions import plan_for
from config.errors import ApiError
from execution.contexts.cells import told
from execution.repl.evaluations import Screen, Value, cell_error, close_console, lost, open_console, run_in_console
from execution.repl.languages import Language
from execution.sandbox.cells import Cell
from execution.sandbox.context_client import ContextClient
from execution.sandbox_clients import sandbox_client

DONE: Final[dict[str, Any]] = {"done": True, "stack": []}
# What a step may take when nearly all of the program's time is used.
_LEAST_SECONDS: Final = 0.1


class Debugging:
    """One program from its start to its end. It counts as one run, and has a run's time: that it stands still between
    two steps takes none."""

    def __init__(self, caller: Caller, language: Language, *, scope: str) -> None:
        self._caller = caller
        self._language = language
        self._scope = scope
        self._console: str | None = None
        self._ended: Value | None = None
        self._seconds_left = 0.0

    async def start(self, code: str, screen: Screen) -> Value:
        """The value has an error where the program does not compile. Raises what `run_cell` raises."""
        kernel = self._language.debugger
        if kernel is None:
            # Told with the first step: a client that hears of no debugger waits for it without an end.
            self._ended = Value(error=f"There is no debugger for {self._language.name} here.")
            return Value()
        self._seconds_left = (await plan_for(self._caller.organisation_id)).limits.wall_seconds
        self._console = await open_console(self._caller, kernel, scope=self._scope)
        try:
            value = await run_in_console(self._caller, self._console, code, screen, scope=self._scope, feeds=True)
        except ApiError:
            await self.close()
            raise
        if value.error:
            await self.close()
        return value

    async def step(self, screen: Screen) -> tuple[dict[str, Any], Value | None]:
        """Where the program stands after the next step; and what it came to, once, when that has ended it."""
        if self._console is None:
            ended, self._ended = self._ended, None
            return DONE, ended
        cell = Cell("step", seconds=max(self._seconds_left, _LEAST_SECONDS), streamed=True)
        async with told():
            result = await ContextClient(sandbox_client()).execute(
                scope=self._scope, context_id=self._console, cell=cell, live=screen.live
            )
        self._seconds_left -= result.wall_seconds
        at = next((item.data["application/json"] for item in result.items if "application/json" in item.data), None)
        error = cell_error(result)
        if isinstance(at, dict) and at.get("done") is False and isinstance(at.get("stack"), list) and not error:
            return {"done": False, "stack": at["stack"]}, None
        if not lost(result):
            await self.close()
        self._console = None
        return DONE, Value(error=error)

    async def close(self) -> None:
        self._ended = None
        if self._console is not None:
            console, self._console = self._console, None
            await close_console(console, scope=self._scope)
