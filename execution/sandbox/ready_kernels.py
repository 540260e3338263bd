"""Kernels made before they are asked for."""

from collections.abc import Callable, Coroutine
from typing import Any

from execution.sandbox.kernel import Kernel
from execution.sandbox.pool import Pool
from execution.sandbox.template import KernelTemplate


class ReadyKernels:
    """Of the `most_kinds` kinds that were wanted last some are always ready: the first of a context's seconds is the
    one that people wait for. `most_ready` is how many more demand may add."""

    def __init__(
        self,
        make: Callable[[KernelTemplate], Coroutine[Any, Any, Kernel]],
        *,
        most_kinds: int,
        most_ready: int,
    ) -> None:
        self._pool = Pool(make, most_ready=most_ready)
        self._most_kinds = most_kinds
        # The one that was wanted last stands last.
        self._wanted: dict[KernelTemplate, None] = {}

    @property
    def ready(self) -> int:
        return self._pool.ready

    async def take(self, kind: KernelTemplate) -> Kernel:
        """One that nobody else gets; the caller destroys it. Raises SandboxError."""
        kernel = await self._pool.take(kind)
        self._wanted.pop(kind, None)
        self._wanted[kind] = None
        if len(self._wanted) > self._most_kinds:
            del self._wanted[next(iter(self._wanted))]
        self._pool.keep(self._wanted)
        self._pool.done(kind)
        return kernel

    async def close(self) -> None:
        await self._pool.close()
