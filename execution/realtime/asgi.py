"""What an ASGI application is called with, what a scope says of its client, and how fast a client is listened to."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]


# To read a frame of megabytes takes the process a while that everybody else waits for, and a key that opens connections
# stands in public pages. A client that sends programs, one a second, is never slowed down.
CHARACTERS_PER_SECOND: Final = 2_000_000
UNPACED: Final = 256 * 1024


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """The headers by their lower-case names; the last one of a name counts."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def paced(receive: Receive) -> Receive:
    """`receive` of a WebSocket, which pauses after a large frame for as long as its size says."""
    owed = 0.0

    async def receive_paced() -> Mapping[str, Any]:
        nonlocal owed
        if owed:
            await asyncio.sleep(owed)
        message = await receive()
        size = len(message.get("text") or message.get("bytes") or "")
        owed = size / CHARACTERS_PER_SECOND if size > UNPACED else 0.0
        return message

    return receive_paced
