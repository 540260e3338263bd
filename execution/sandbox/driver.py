"""What the supervisor asks of a driver, and when."""

from collections.abc import Callable, Iterable
from typing import Protocol

from execution.sandbox.builds import Build
from execution.sandbox.job import Job, Result
from execution.sandbox.kernel import Kernel
from execution.sandbox.kernels import KernelSpec
from execution.sandbox.live import Live
from execution.sandbox.toolchain import Toolchain


class Driver(Protocol):
    """One way to run programs in isolation.

    The supervisor calls `start` once, before any job; then `warm` with the installed toolchains, again whenever they
    may have changed, and `run` for each job, many at once; and `stop` once, after the last `run` has returned."""

    @property
    def name(self) -> str: ...

    async def start(self) -> None:
        """Removes what an earlier process left, and proves on a live sandbox that every limit holds here.

        Raises SandboxUnavailable, with the remedy in words, on a host that cannot enforce one."""

    def warm(self, toolchains: Iterable[Toolchain]) -> None:
        """Keeps sandboxes ready, from now on, for jobs of these toolchains and no others; done in the background."""

    async def run(
        self,
        job: Job,
        toolchain: Toolchain,
        *,
        live: Live | None = None,
        build: Build | None = None,
        keep: Callable[[Build], None] | None = None,
    ) -> Result:
        """Runs one job in a sandbox of its own. Cancelling kills it; nothing of it is left when this returns, or
        soon after. Raises SandboxError where not the program but the driver failed.

        `live` sees the streams as they come, and its program's standard input stays open until it ends it. With
        `build` the job is not compiled; `keep` gets what compiling it made, before the program runs."""

    async def kernel(self, spec: KernelSpec, toolchain: Toolchain) -> Kernel:
        """A kernel that nobody else uses, up; the caller destroys it. Raises SandboxError."""

    def ready(self) -> int:
        """How many sandboxes wait for a job."""

    async def stop(self) -> None:
        """Ends every sandbox and leaves nothing behind."""
