"""The supervisor's end of a kernel's channel: JSON objects, each after its length (u32, big-endian), both ways.

    to the kernel     {"do": "execute", "code", "env", "streamed", "written"}
                                                                        run a cell; so many bytes of standard input were
                                                                        written before its own, since the kernel began
                      {"do": "interrupt"}                               end the running cell, keep the state
                      {"do": "input_end", "written"}                    the running cell's standard input ends after so
                                                                        many bytes, counted alike
    from the kernel   {"event": "ready"}                                once, when it can take cells
                      {"event": "item", "data", "primary", "display_id", "update"}
                      {"event": "done", "error": null | {"name", "value", "traceback"}}

Code of the customer's runs in the same process and can write here too: whatever comes is checked, bounded, and
believed only about the customer's own cell.
"""

import asyncio
import json
import struct
from collections.abc import Callable
from typing import Any

from execution.sandbox.cells import CellError, Item
from execution.sandbox.job import MIB

_SIZE = struct.Struct("!I")
# No kernel needs more: what a cell shows is bounded below it.
MOST_BYTES = 32 * MIB


class ChannelBroken(Exception):
    """What came is no message: somebody else than the kernel writes there."""


class Channel:
    """`reader` has what the kernel writes; `write` takes what goes to it, and `close` ends both."""

    def __init__(
        self, reader: asyncio.StreamReader, *, write: Callable[[bytes], object], close: Callable[[], object]
    ) -> None:
        self._reader, self._write, self.close = reader, write, close

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode("utf-8", "surrogatepass")
        self._write(_SIZE.pack(len(body)) + body)

    async def receive(self) -> dict[str, Any] | None:
        """The next message; None when the kernel has closed the channel. Raises ChannelBroken."""
        try:
            (size,) = _SIZE.unpack(await self._reader.readexactly(_SIZE.size))
            if size > MOST_BYTES:
                raise ChannelBroken(f"a message of {size} bytes")
            message = json.loads(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except ValueError as error:
            raise ChannelBroken(str(error)) from None
        if not isinstance(message, dict):
            raise ChannelBroken("not an object")
        return message


def item_of(message: dict[str, Any]) -> Item:
    """Raises ChannelBroken."""
    data = message.get("data")
    if not isinstance(data, dict):
        raise ChannelBroken("an item without data")
    display_id = message.get("display_id") or ""
    return Item(data, message.get("primary") is True, str(display_id), message.get("update") is True)


def error_of(message: dict[str, Any]) -> CellError | None:
    error = message.get("error")
    if not isinstance(error, dict):
        return None
    return CellError(*(str(error.get(field, "")) for field in ("name", "value", "traceback")))
