"""The tools of the MCP server: what an agent is told of them, and what they do.

A program that fails is a result: an agent is to read it. A refusal (limits, a field that is wrong, a toolchain that is
missing) is a tool error whose words say what to do next; its `_meta` holds the error object of the HTTP API under
`ERROR_META`, for programs. A fault of ours leaves as an exception.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from mcp_types import CallToolResult, TextContent, Tool, ToolAnnotations

from accounts.caller import Caller
from config.errors import ApiError, FieldError, InvalidRequest
from execution.answer_schemas import COMPILER, RESULT
from execution.fields import body_schema
from execution.json_body import printable
from execution.listing import listed_compilers
from execution.requests import RunRequest, RunRequestSerializer
from execution.results import answer_of
from execution.runs import run_code
from execution.sandbox.live import Live

ARGUMENTS: Final = ("compiler", "code", "input")
ERROR_META: Final = "runcode/error"


Report = Callable[[int, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool. `headers` are filled with those that belong on the HTTP answer (RateLimit …). `report` tells
    the client how far it is: 1, 2 … and a word; None when the client does not want to know."""

    caller: Caller
    arguments: Mapping[str, Any]
    headers: dict[str, str]
    report: Report | None


async def _run_code(call: Call) -> dict[str, Any]:
    request = RunRequest.from_data(call.arguments)
    async with _stages(call.report) as live:
        answer = await run_code(caller=call.caller, request=request, surface="mcp", live=live)
    call.headers.update(answer.headers)
    return answer_of(answer.result, extended=False, with_files=False)


@asynccontextmanager
async def _stages(report: Report | None) -> AsyncIterator[Live | None]:
    """What watches a run for the sake of its stages alone; None where nobody asked for them."""
    if report is None:
        yield None
        return
    stages: asyncio.Queue[str] = asyncio.Queue()
    live = Live(on_output=lambda _stream, _data: None, on_state=stages.put_nowait)
    live.end_input()

    async def tell() -> None:
        for number in itertools.count(1):
            await report(number, await stages.get())

    telling = asyncio.create_task(tell())
    try:
        yield live
    finally:
        telling.cancel()
        await asyncio.wait([telling])


async def _list_compilers(_call: Call) -> dict[str, Any]:
    return {"compilers": listed_compilers()}


_ACTIONS: Final[Mapping[str, Callable[[Call], Awaitable[dict[str, Any]]]]] = {
    "list_compilers": _list_compilers,
    "run_code": _run_code,
}

TOOLS: Final = (
    Tool(
        name="list_compilers",
        title="List compilers",
        description=(
            "Lists the programming languages that run_code knows: the id to send as `compiler`, the version that is "
            "installed, whether it can run now (`available`), and a sample program. Runs nothing and costs nothing."
        ),
        input_schema={"type": "object", "properties": {}, "additionalProperties": False},
        output_schema={
            "type": "object",
            "properties": {"compilers": {"type": "array", "items": COMPILER}},
            "required": ["compilers"],
        },
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    ),
    Tool(
        name="run_code",
        title="Run code",
        description=(
            "Compiles and runs one program in a fresh sandbox and returns what it printed, its exit code, time "
            "and memory. Send the whole program, and have it print what you want to see: of standard output and "
            "standard error you get the first 999 characters each. There is no network, nothing is kept between "
            "calls, and a program that runs longer than 30 seconds or uses more than 512 MB is ended. A compile "
            "error or a crash comes back as a result with status `error`; a refused call is a tool error that "
            "says what to change. Each call counts as one run of the account’s plan."
        ),
        input_schema={
            **body_schema(RunRequestSerializer(), only=ARGUMENTS, nullable=False),
            "additionalProperties": False,
        },
        output_schema=RESULT,
        # What it may break is gone with its sandbox; it may still print something else the next time.
        annotations=ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=False, open_world_hint=False
        ),
    ),
)


TOOL_NAMES: Final = tuple(tool.name for tool in TOOLS)


async def call_tool(name: str, call: Call) -> CallToolResult:
    """The answer of the tool of that name, one of `TOOL_NAMES`."""
    try:
        _check_names(name, call.arguments)
        structured = await _ACTIONS[name](call)
    except ApiError as refusal:
        call.headers.update(refusal.headers)
        return _refused(refusal)
    text = json.dumps(structured, ensure_ascii=False)
    return CallToolResult(content=[TextContent(text=text)], structured_content=structured)


def _check_names(name: str, arguments: Mapping[str, Any]) -> None:
    """An agent that sends `stdin` for `input` is told so; passed over, it would read a wrong result."""
    known = ARGUMENTS if name == "run_code" else ()
    unknown = [printable(argument) for argument in arguments if argument not in known]
    if unknown:
        takes = f"takes {', '.join(known)}" if known else "takes no arguments"
        text = f"There is no such argument; {name} {takes}."
        raise InvalidRequest(f"{unknown[0]}: {text}", errors=[FieldError(argument, text) for argument in unknown])


def _refused(refusal: ApiError) -> CallToolResult:
    lines = [f"{error.field}: {error.error}" if error.field else error.error for error in refusal.errors]
    text = "\n".join(lines) if lines else refusal.message
    return CallToolResult(
        content=[TextContent(text=text)],
        is_error=True,
        _meta={ERROR_META: {"status": refusal.status, **refusal.body()}},
    )
