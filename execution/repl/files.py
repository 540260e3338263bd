"""The files of a session: those of its console, or those that the last program of its own has left."""

import time
from collections.abc import Mapping
from typing import Any

from config.errors import NotFound
from execution.contexts.cells import told
from execution.sandbox.context_client import ContextClient
from execution.sandbox.job import OutputFile
from execution.sandbox_clients import sandbox_client


class SessionFiles:
    """`console` is the id of the console that they are looked for in, None while there is none."""

    def __init__(self, scope: str) -> None:
        self._scope = scope
        self.console: str | None = None
        self._left: dict[str, OutputFile] = {}
        self._left_at = 0.0
        self._told: dict[str, tuple[int, float]] = {}

    def left(self, files: Mapping[str, OutputFile]) -> None:
        """A program has ended and left these."""
        self._left, self._left_at = dict(files), time.time()

    def forget(self) -> None:
        """The state is gone, and the files with it."""
        self.console = None
        self._left.clear()
        self._told.clear()

    async def read(self, path: str) -> str:
        """The file as text; what is not UTF-8 becomes U+FFFD. Raises NotFound, Conflict and Unavailable."""
        if file := self._left.get(path):
            return file.content.decode("utf-8", "replace")
        data = await self._client(path).read_file(scope=self._scope, context_id=self.console or "", path=path)
        return data.decode("utf-8", "replace")

    async def remove(self, path: str) -> None:
        """Raises as `read` does."""
        if self._left.pop(path, None) is None:
            await self._client(path).remove_file(scope=self._scope, context_id=self.console or "", path=path)

    async def changed(self) -> list[dict[str, Any]]:
        """The files that are new or not as they were told the last time: `path`, `size` in bytes, `mtime` in seconds
        since the epoch."""
        found = {file.path: (file.size, self._left_at) for file in self._left.values()}
        if self.console is not None:
            async with told():
                listed = await ContextClient(sandbox_client()).files(scope=self._scope, context_id=self.console)
            found |= {file.path: (file.size, file.modified_at) for file in listed}
        changed = {path: state for path, state in found.items() if self._told.get(path) != state}
        self._told = found
        return [{"path": path, "size": size, "mtime": mtime} for path, (size, mtime) in sorted(changed.items())]

    def _client(self, path: str) -> ContextClient:
        if self.console is None:
            raise NotFound(f"There is no file {path}.")
        return ContextClient(sandbox_client())
