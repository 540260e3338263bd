"""Tool calls under way, and how a client ends one: by closing the answer's stream, or by a message that names it.

Such a message (`notifications/cancelled`) comes in an HTTP request of its own and names the call by the id that the
client gave it, which is unique in that client's session alone. So each session gets a random name (`Mcp-Session-Id`) at
its start, that clients send back with every request. It stands for nothing that is kept: any process takes any name.
"""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from anyio import CancelScope

from accounts import broadcast
from accounts.caller import Caller

T = TypeVar("T")

SESSION_HEADER: Final = "Mcp-Session-Id"
TOPIC: Final = "mcp-cancelled"
_METHOD: Final = "notifications/cancelled"

_under_way: dict[str, asyncio.Task[Any]] = {}


class Cancelled(Exception):
    """The client ended the call by a message; it is not waiting for an answer any more."""


async def until_cancelled(work: Coroutine[Any, Any, T], *, caller: Caller, session: str | None, id_: object) -> T:
    """The result of `work`, which ends early when its client says so (Cancelled) or goes away (CancelledError).

    In a task of its own: it is cancelled once and then left to clean up, while the SDK's cancel scopes would interrupt
    it again at each step of that.
    """
    task = asyncio.create_task(work)
    name = _name(caller, session, id_) if session else None
    if name is not None:
        _under_way[name] = task
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        with CancelScope(shield=True):
            await asyncio.wait([task])
        raise
    finally:
        if name is not None and _under_way.get(name) is task:
            del _under_way[name]
    if task.cancelled():
        raise Cancelled
    return task.result()


async def heed_cancellation(body: bytes, *, caller: Caller, session: str | None) -> None:
    """Ends the call that a request's body names, wherever it runs; any other body is passed over."""
    if session is None or _METHOD.encode() not in body:
        return
    try:
        message = json.loads(body)
        method, id_ = message["method"], message["params"]["requestId"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return
    if method == _METHOD:
        await broadcast.publish(TOPIC, _name(caller, session, id_))


def _name(caller: Caller, session: str, id_: object) -> str:
    return json.dumps([caller.key_id, session, id_])


def _cancel(name: str) -> None:
    if task := _under_way.get(name):
        task.cancel()


broadcast.subscribe(TOPIC, _cancel)
