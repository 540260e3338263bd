"""Kernels made before they are asked for."""

from collections.abc import Callable, Coroutine
from typing import Any

from execution.sandbox.kernel import Kernel
from execution.sandbox.pool import Pool
from execution.sandbox.template import KernelTemplate


class ReadyKernels:
    """A kind of kernel that was wanted once is kept ready from then on: the first of a context's seconds is the one
    that people wait for."""

    def __init__(self, make: Callable[[KernelTemplate], Coroutine[Any, Any, Kernel]], *, most_ready: int) -> None:
        self._pool = Pool(make, most_ready=most_ready)
        self._wanted: set[KernelTemplate] = set()

    @property
    def ready(self) -> int:
        return self._pool.ready

    async def take(self, kind: KernelTemplate) -> Kernel:
        """One that nobody else gets; the caller destroys it. Raises SandboxError."""
        kernel = await self._pool.take(kind)
        self._wanted.add(kind)
        self._pool.keep(self._wanted)
        self._pool.done(kind)
        return kernel

    async def close(self) -> None:
        await self._pool.close()
