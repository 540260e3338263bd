"""Database work of a background task: in a thread of its own, over one connection that is kept."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, connections

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThread:
    """`database_sync_to_async` would connect anew for each call, and wait in line with every page's query."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def __call__(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls `work` in the thread. Seen through when the caller is cancelled. Raises what it raises."""

        def guarded() -> T:
            try:
                return work(*args, **kwargs)
            except (DatabaseError, InterfaceError):
                # The connection may be broken. The next call makes a new one.
                connections.close_all()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    async def aclose(self) -> None:
        """Waits for what is under way, then closes the connection and ends the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, connections.close_all)
        self._thread.shutdown()
