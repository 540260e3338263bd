"""A native sandbox as the home of a kernel."""

import asyncio
import socket
from dataclasses import replace

from execution.sandbox import frames
from execution.sandbox.channel import Channel
from execution.sandbox.job import Limits
from execution.sandbox.kernel import Kernel
from execution.sandbox.native.sandbox import Host, NativeSandbox
from execution.sandbox.stage import Stage, Usage
from execution.sandbox.template import KernelTemplate

# The share of a core that is left to a context whose cell has ended, for threads that it left behind.
REST_CORES = 0.05


class _Home:
    def __init__(self, sandbox: NativeSandbox) -> None:
        self._sandbox = sandbox
        self.files = sandbox.files
        self._limits = Limits()

    async def limit(self, limits: Limits) -> None:
        self._limits = limits

    async def ended(self) -> Stage:
        return await self._sandbox.ended()

    def usage(self) -> Usage:
        return self._sandbox.usage()

    def rest(self) -> None:
        self._sandbox.limit(replace(self._limits, cpu_cores=REST_CORES))

    def wake(self) -> None:
        self._sandbox.limit(self._limits)

    def stop(self) -> None:
        self._sandbox.stop()

    async def destroy(self) -> None:
        await self._sandbox.destroy()


async def launch_kernel(kind: KernelTemplate, host: Host) -> Kernel:
    """A kernel in a sandbox of its own, up. Raises SandboxError."""
    sandbox = await NativeSandbox.launch(kind.template, host)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with theirs:
            stdio = await sandbox.start_kernel(
                kind.spec.command, kind.env, frames.build_frames(kind.spec.files), theirs.fileno()
            )
        reader, writer = await asyncio.open_unix_connection(sock=ours)
    except BaseException:
        ours.close()
        await sandbox.destroy()
        raise
    channel = Channel(reader, write=writer.write, close=writer.close)
    return await Kernel.up(_Home(sandbox), stdio, channel)
