"""A container as the home of a kernel."""

import asyncio

from execution.sandbox import frames
from execution.sandbox.channel import Channel
from execution.sandbox.docker.sandbox import DockerSandbox, Host
from execution.sandbox.job import Limits
from execution.sandbox.kernel import Kernel
from execution.sandbox.stage import Stage, Usage
from execution.sandbox.template import KernelTemplate


class _Home:
    def __init__(self, sandbox: DockerSandbox) -> None:
        self._sandbox = sandbox
        self.files = sandbox.files

    async def limit(self, limits: Limits) -> None:
        await self._sandbox.limit(limits)

    async def ended(self) -> Stage:
        return await self._sandbox.ended()

    def usage(self) -> Usage:
        """As of the last thing that the kernel told."""
        return self._sandbox.usage()

    def rest(self) -> None:
        # Not by the Engine, who takes as long to change a limit as a short cell takes to run.
        self._sandbox.relay.rest(True)

    def wake(self) -> None:
        self._sandbox.relay.rest(False)

    def stop(self) -> None:
        self._sandbox.stop()

    async def destroy(self) -> None:
        await self._sandbox.destroy()


async def launch_kernel(kind: KernelTemplate, host: Host) -> Kernel:
    """A kernel in a container of its own, up. Raises SandboxError."""
    sandbox = await DockerSandbox.launch(kind.template, host)
    reader = asyncio.StreamReader()
    try:
        build = frames.build_frames(kind.spec.files)
        stdio = await sandbox.start_kernel(kind.spec.command, kind.env, build, reader.feed_data)
    except BaseException:
        await sandbox.destroy()
        raise
    channel = Channel(reader, write=sandbox.relay.tell, close=reader.feed_eof)
    return await Kernel.up(_Home(sandbox), stdio, channel)
