"""The service's side of contexts: what may be asked of the host's supervisor about them."""

from collections.abc import Callable

from execution.sandbox import wire, wire_contexts
from execution.sandbox.cells import Cell, CellResult, ContextInfo, Item
from execution.sandbox.client import ConnectionLost, SandboxClient
from execution.sandbox.context_files import FileList
from execution.sandbox.errors import ContextUnknown, SandboxUnavailable
from execution.sandbox.job import Limits
from execution.sandbox.live import Live


class ContextClient:
    """Contexts belong to a `scope`, a customer: another scope's are as unknown as those that never were. A supervisor
    that ends takes all of them along."""

    def __init__(self, client: SandboxClient) -> None:
        self._client = client

    async def open(self, *, scope: str, kernel: str, limits: Limits, idle_seconds: float, most: int) -> ContextInfo:
        """Raises ContextsFull, ToolchainMissing and SandboxError."""
        request = wire_contexts.encode_open(
            scope=scope, kernel=kernel, limits=limits, idle_seconds=idle_seconds, most=most
        )
        try:
            return wire_contexts.decode_context(await self._client.ask(request))
        except ConnectionLost:
            raise SandboxUnavailable("The sandbox supervisor ended before the context was open.") from None

    async def execute(
        self,
        *,
        scope: str,
        context_id: str,
        cell: Cell,
        live: Live | None = None,
        on_item: Callable[[Item], None] | None = None,
    ) -> CellResult:
        """Runs a cell after those that wait already; cancelling the call interrupts it. `on_item` gets the items of a
        live cell as they come. Raises ContextUnknown, ContextBusy and SandboxError."""

        def on_event(message: wire.Message) -> None:
            if on_item is not None:
                on_item(wire_contexts.decode_item(message))

        request = wire_contexts.encode_execute(scope=scope, context_id=context_id, cell=cell, live=live is not None)
        try:
            return wire_contexts.decode_executed(await self._client.ask(request, live=live, on_event=on_event))
        except ConnectionLost:
            raise _gone() from None

    async def interrupt(self, *, scope: str, context_id: str) -> ContextInfo:
        """Ends the running cell; the state stays where the language can keep it. Raises ContextUnknown."""
        return wire_contexts.decode_context(await self._about(wire_contexts.INTERRUPT, scope, context_id))

    async def restart(self, *, scope: str, context_id: str) -> ContextInfo:
        """The same context with nothing in it. Raises ContextUnknown and SandboxError."""
        return wire_contexts.decode_context(await self._about(wire_contexts.RESTART, scope, context_id))

    async def info(self, *, scope: str, context_id: str) -> ContextInfo:
        """Raises ContextUnknown."""
        return wire_contexts.decode_context(await self._about(wire_contexts.INFO, scope, context_id))

    async def close(self, *, scope: str, context_id: str) -> None:
        """Raises ContextUnknown."""
        await self._about(wire_contexts.CLOSE, scope, context_id)

    async def listed(self, *, scope: str) -> list[ContextInfo]:
        """The scope's live contexts, the oldest first."""
        try:
            answer = await self._client.ask(wire.encode(wire_contexts.LIST, {"scope": scope}))
        except ConnectionLost:
            return []
        return wire_contexts.decode_contexts(answer)

    async def fit(self, *, scope: str, limits: Limits, idle_seconds: float, most: int) -> list[ContextInfo]:
        """Closes those past `most`, the longest unused first; the rest stays, on these terms. Raises SandboxError."""
        request = wire_contexts.encode_fit(scope=scope, limits=limits, idle_seconds=idle_seconds, most=most)
        try:
            return wire_contexts.decode_contexts(await self._client.ask(request))
        except ConnectionLost:
            return []

    async def files(self, *, scope: str, context_id: str) -> FileList:
        """The regular files of its work dir, while a cell runs or not. Raises ContextUnknown, ContextEnded and
        ContextBusy."""
        return wire_contexts.decode_files(await self._about(wire_contexts.FILES, scope, context_id))

    async def read_file(self, *, scope: str, context_id: str, path: str) -> bytes:
        """Raises as `files`, and ContextFileUnknown and ContextFileRefused."""
        return (await self._about(wire_contexts.READ_FILE, scope, context_id, path=path)).blobs[0]

    async def write_file(self, *, scope: str, context_id: str, path: str, data: bytes) -> None:
        """Its folders are made; what has the name is replaced. Raises as `files`, and ContextFileRefused."""
        await self._about(wire_contexts.WRITE_FILE, scope, context_id, data, path=path)

    async def remove_file(self, *, scope: str, context_id: str, path: str) -> None:
        """Raises as `read_file`."""
        await self._about(wire_contexts.REMOVE_FILE, scope, context_id, path=path)

    async def _about(self, kind: str, scope: str, context_id: str, *blobs: bytes, **fields: str) -> wire.Message:
        try:
            return await self._client.ask(wire.encode(kind, {"scope": scope, "id": context_id, **fields}, *blobs))
        except ConnectionLost:
            raise _gone() from None


def _gone() -> ContextUnknown:
    return ContextUnknown("The host of this context has just restarted, and the context has gone with it.")
