"""Kernels on the native driver."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from execution.sandbox import frames
from execution.sandbox.channel import Channel
from execution.sandbox.job import Limits
from execution.sandbox.kernel import Kernel
from execution.sandbox.kernels import KernelSpec
from execution.sandbox.live import Live
from execution.sandbox.native.pipes import Stdio
from execution.sandbox.native.sandbox import Host, NativeSandbox
from execution.sandbox.stage import Output, Stage, Usage
from execution.sandbox.template import Template
from execution.sandbox.toolchain import Toolchain

# The share of a core that is left to a context whose cell has ended, for threads that it left behind.
REST_CORES = 0.05


@dataclass(frozen=True, slots=True)
class KernelTemplate:
    """A kernel that can be made ahead."""

    spec: KernelSpec
    template: Template
    toolchain: Toolchain

    def __hash__(self) -> int:
        return hash((self.spec, self.template))


class _Streams:
    """A kernel's pipes, cell by cell."""

    def __init__(self, stdio: Stdio) -> None:
        self._stdio = stdio
        self.write, self.pause, self.resume = stdio.write, stdio.pause, stdio.resume

    def end_input(self) -> None:
        """Nothing: the next cell may be fed too."""

    def limit(self, *, cap: int, on_overflow: Callable[[], None]) -> None:
        self._stdio.limit(cap=cap, on_overflow=on_overflow)

    def show(self, live: Live) -> None:
        self._stdio.stdout.on_data = lambda data: live.on_output("stdout", data)
        self._stdio.stderr.on_data = lambda data: live.on_output("stderr", data)
        live.attach(self)

    def hide(self) -> None:
        self._stdio.stdout.on_data = self._stdio.stderr.on_data = None

    def take(self) -> tuple[Output, Output]:
        return self._stdio.stdout.take(), self._stdio.stderr.take()


class _Home:
    """A native sandbox as the home of a kernel."""

    def __init__(self, sandbox: NativeSandbox) -> None:
        self._sandbox = sandbox
        self.files = sandbox.files
        self._limits = Limits()

    def limit(self, limits: Limits) -> None:
        self._limits = limits

    async def ended(self) -> Stage:
        return await self._sandbox.ended()

    def usage(self) -> Usage:
        return self._sandbox.usage()

    def rest(self) -> None:
        self._sandbox.limit(replace(self._limits, cpu_cores=REST_CORES))

    def wake(self) -> None:
        self._sandbox.limit(self._limits)

    async def destroy(self) -> None:
        await self._sandbox.destroy()


async def launch_kernel(kind: KernelTemplate, host: Host) -> Kernel:
    """A kernel in a sandbox of its own, up. Raises SandboxError."""
    sandbox = await NativeSandbox.launch(kind.template, host)
    try:
        channel = Channel()
        stdio = await sandbox.start_kernel(
            kind.spec.command,
            {**kind.toolchain.env, **kind.spec.env},
            frames.build_frames(kind.spec.files),
            channel.theirs.fileno(),
        )
        await channel.open()
        kernel = Kernel(_Home(sandbox), _Streams(stdio), channel)
    except BaseException:
        await sandbox.destroy()
        raise
    try:
        await kernel.start()
    except BaseException:
        await kernel.destroy()
        raise
    return kernel
