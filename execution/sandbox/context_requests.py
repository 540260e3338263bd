"""The supervisor's answers to requests about contexts."""

from collections.abc import Callable

from execution.sandbox import wire
from execution.sandbox import wire_contexts as contexts_wire
from execution.sandbox.cells import Item
from execution.sandbox.context_files import Files
from execution.sandbox.contexts import Contexts
from execution.sandbox.job import Limits
from execution.sandbox.live import Live


async def answer(contexts: Contexts, message: wire.Message, live: Live | None, send: Callable[[bytes], None]) -> bytes:
    """The answer to one of `wire_contexts.KINDS`; what comes before it goes through `send`. Raises SandboxError."""
    fields = message.fields
    scope: str = fields["scope"]
    match message.kind:
        case contexts_wire.OPEN:
            info = await contexts.open(
                scope=scope,
                kernel=fields["kernel"],
                limits=Limits(**fields["limits"]),
                idle_seconds=fields["idle_seconds"],
                most=fields["most"],
            )
            return contexts_wire.encode_context(info)
        case contexts_wire.FIT:
            left = await contexts.fit(
                scope=scope,
                limits=Limits(**fields["limits"]),
                idle_seconds=fields["idle_seconds"],
                most=fields["most"],
            )
            return contexts_wire.encode_contexts(left)
        case contexts_wire.LIST:
            return contexts_wire.encode_contexts(contexts.listed(scope=scope))
        case contexts_wire.EXECUTE:
            cell = contexts_wire.decode_cell(message)
            result = await contexts.execute(
                scope=scope, context_id=fields["id"], cell=cell, live=live, on_item=_shower(live, send)
            )
            return contexts_wire.encode_executed(result)
        case contexts_wire.INTERRUPT:
            return contexts_wire.encode_context(contexts.interrupt(scope=scope, context_id=fields["id"]))
        case contexts_wire.RESTART:
            return contexts_wire.encode_context(await contexts.restart(scope=scope, context_id=fields["id"]))
        case contexts_wire.INFO:
            return contexts_wire.encode_context(contexts.info(scope=scope, context_id=fields["id"]))
        case contexts_wire.FILES | contexts_wire.READ_FILE | contexts_wire.WRITE_FILE | contexts_wire.REMOVE_FILE:
            return await _about_files(contexts, message)
        case _:
            await contexts.close(scope=scope, context_id=fields["id"])
            return wire.encode("closed", {})


async def _about_files(contexts: Contexts, message: wire.Message) -> bytes:
    path: str = message.fields.get("path", "")

    async def work(files: Files) -> bytes:
        match message.kind:
            case contexts_wire.FILES:
                return contexts_wire.encode_files(await files.listed())
            case contexts_wire.READ_FILE:
                return wire.encode("file", {}, await files.read(path))
            case contexts_wire.WRITE_FILE:
                await files.write(path, message.blobs[0])
            case _:
                await files.remove(path)
        return wire.encode("done", {})

    return await contexts.about_files(scope=message.fields["scope"], context_id=message.fields["id"], work=work)


def _shower(live: Live | None, send: Callable[[bytes], None]) -> Callable[[Item], None]:
    if live is None:
        return lambda _item: None
    return lambda item: send(contexts_wire.encode_item(item))
