"""One native sandbox, from its launch to its end: single-use, made ahead of the job it will run."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from execution.sandbox import artifacts, frames
from execution.sandbox.builds import Build, read_build
from execution.sandbox.context_files import Files
from execution.sandbox.errors import SandboxError, SandboxUnavailable
from execution.sandbox.frames import ControlLost
from execution.sandbox.job import Job, Limits, Outcome, OutputFile, Result
from execution.sandbox.live import Live
from execution.sandbox.native.commands import BUILD_BYTES, sandbox_command
from execution.sandbox.native.control import Control
from execution.sandbox.native.launcher import Launched, Launcher
from execution.sandbox.native.network import Network
from execution.sandbox.native.pipes import OutputPipe, Stdio
from execution.sandbox.native.slots import Slots
from execution.sandbox.stage import Output, Stage, Usage
from execution.sandbox.stages import Stages
from execution.sandbox.steps import carry_out
from execution.sandbox.template import Template, environment
from execution.sandbox.toolchain import Toolchain


@dataclass(frozen=True, slots=True)
class Host:
    """What every sandbox of a host needs. `devices` becomes its /dev."""

    launcher: Launcher
    slots: Slots
    devices: Path


class NativeSandbox:
    """Made by `launch`, used once by `run`, ended by `destroy`, which must be called in every case."""

    def __init__(self, template: Template, host: Host) -> None:
        self.template = template
        self._host = host
        self._slot = host.slots.take()
        self._cgroup = self._slot.cgroup
        self._loop = asyncio.get_running_loop()
        ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._control = Control(ours)
        self._process: Launched | None = None
        self._stages = Stages(
            self._control, memory_ran_out=lambda: self._cgroup.usage().memory_kills > 0, kill=self._cgroup.kill
        )
        self.files = Files(self._control)
        self._stdio: Stdio | None = None
        self._cpu_base = 0.0
        self._compiled = False  # the job's files are in the work dir already
        self._destroyed = False

    @classmethod
    async def launch(cls, template: Template, host: Host) -> "NativeSandbox":
        """Starts it and waits until its init, and where the template is hot its interpreter, waits for the job."""
        sandbox = cls(template, host)
        try:
            await sandbox._spawn()
            await sandbox._expect("I")
            if sandbox._slot.network is None:
                sandbox._slot.network = Network(sandbox.pid)
            if template.hot is not None:
                await sandbox._heat(template.hot)
            sandbox._cpu_base = sandbox._cgroup.usage().cpu_seconds
        except ControlLost:
            await sandbox.destroy()
            raise SandboxUnavailable("A sandbox could not be started; the supervisor's log says why.") from None
        except BaseException:
            await sandbox.destroy()
            raise
        return sandbox

    @property
    def pid(self) -> int:
        """The host's process id of bubblewrap's monitor."""
        return self._process.pid if self._process else 0

    @property
    def alive(self) -> bool:
        return self._process is not None and not self._process.ended.done()

    async def run(
        self,
        job: Job,
        toolchain: Toolchain,
        *,
        live: Live | None = None,
        build: Build | None = None,
        keep: Callable[[Build], None] | None = None,
    ) -> Result:
        """Carries the job out. Raises SandboxError where the sandbox, not the program, failed."""
        try:
            return await carry_out(self, job, toolchain, live=live, build=build, keep=keep)
        finally:
            if live is not None:
                live.detach()
            if self._stdio is not None:
                self._stdio.close()

    async def start_kernel(self, command: Sequence[str], env: Mapping[str, str], files: bytes, channel: int) -> Stdio:
        """Starts a program that stays, with `channel` as its descriptor 3; `ended` tells how it ended."""
        stdio = self._make_stdio(Limits().output_bytes)
        await self._control.send(files)
        order = frames.pack("X", frames.command(command, environment(env, {})))
        await self._control.send(order, (*stdio.programs_ends, channel))
        stdio.close_programs_ends()
        return stdio

    async def ended(self) -> Stage:
        """Waits until the program has ended."""
        return await self._stages.end()

    def stop(self) -> None:
        """Ends the program and all that it started; the sandbox stays, for its files."""
        self._stages.stop(Outcome.RUNTIME_ERROR)

    def limit(self, limits: Limits) -> None:
        """Sets other limits while it runs."""
        self._apply(limits)

    async def destroy(self) -> None:
        """Kills whatever is left of it, waits until it has gone, and gives its slot back. Does nothing twice."""
        if self._destroyed:
            return
        self._destroyed = True
        self._control.close()
        if self._stdio is not None:
            self._stdio.close()
        if self._cgroup.memory_event is not None:
            self._loop.remove_reader(self._cgroup.memory_event)
        delay = 0.0005
        while not self._cgroup.kill() or self.alive:
            await asyncio.sleep(delay)
            delay = min(2 * delay, 0.05)
        await self._host.slots.give_back(self._slot)

    # --- launching ---

    async def _spawn(self) -> None:
        with self._theirs:
            self._process = await self._host.launcher.launch(
                command=sandbox_command(
                    root=self.template.root, devices=self._host.devices, work_bytes=self.template.work_bytes
                ),
                uid=self._slot.uid,
                procs_files=self._cgroup.procs_files,
                file_size=max(self.template.work_bytes, BUILD_BYTES),
                control=self._theirs.fileno(),
                network=self._slot.network.descriptor if self._slot.network is not None else None,
            )
        if self._cgroup.memory_event is not None:
            self._loop.add_reader(self._cgroup.memory_event, self._on_memory_event)

    async def _heat(self, toolchain: Toolchain) -> None:
        stdio = self._make_stdio(Limits().output_bytes)
        argv = toolchain.run_command(entrypoint=toolchain.file_name, files=(), args=())
        order = frames.command(argv, environment(toolchain.env, {}))
        await self._start(frames.hot_frame(toolchain.file_name, toolchain.gate, order), stdio)
        await self._expect("R")

    async def _expect(self, kind: str) -> None:
        frame = await self._control.receive()
        if frame.kind != kind:
            raise SandboxError(f"Init answered {frame.kind!r} where {kind!r} was due.")

    def _make_stdio(self, cap: int) -> Stdio:
        self._stdio = Stdio(cap=cap)
        return self._stdio

    async def _start(self, order: bytes, stdio: Stdio) -> None:
        await self._control.send(order, stdio.programs_ends)
        stdio.close_programs_ends()

    # --- the steps of a job (execution.sandbox.steps) ---

    async def compile(self, job: Job, toolchain: Toolchain, command: Sequence[str]) -> tuple[Stage, Output]:
        messages = OutputPipe(cap=job.limits.output_bytes, on_overflow=self._stages.stopper(Outcome.OUTPUT_LIMIT))
        try:
            order = frames.pack("X", frames.command(command, environment(toolchain.env, {})))
            with self._stages.deadline(job.limits.compile_seconds):
                await self._control.send(frames.file_frames(job.files))
                with self._nothing() as nothing:
                    await self._control.send(order, (nothing, messages.write_end, messages.write_end))
                messages.close_write_end()
                stage = await self._stages.end()
            self._compiled = True
            return stage, messages.finish()
        finally:
            messages.close()

    async def read_build(self, compile_output: bytes) -> Build | None:
        try:
            async with self._directory("build") as directory:
                return read_build(directory, compile_output)
        except ControlLost:
            return None

    async def execute(
        self, job: Job, toolchain: Toolchain, *, build: Build | None, live: Live | None
    ) -> tuple[Stage, Output, Output]:
        if not self._apply(job.limits):
            return Stage(Outcome.MEMORY_LIMIT, 0, 0, 0.0), Output(b""), Output(b"")
        stdio = self._stdio or self._make_stdio(job.limits.output_bytes)
        stdio.limit(cap=job.limits.output_bytes, on_overflow=self._stages.stopper(Outcome.OUTPUT_LIMIT))
        with self._stages.deadline(job.limits.wall_seconds):
            if self.template.hot is not None:
                others = {path: content for path, content in job.files.items() if path != job.entrypoint}
                await self._control.send(frames.file_frames(others) + frames.pack("G", job.files[job.entrypoint]))
            else:
                argv = toolchain.run_command(entrypoint=job.entrypoint, files=job.files, args=job.args)
                order = frames.command(argv, environment(toolchain.env, job.env))
                files = b"" if self._compiled else frames.file_frames(job.files)
                await self._control.send(files + frames.build_frames(build))
                await self._start(frames.pack("X", order), stdio)
            stdio.write(job.stdin)
            if live is None:
                stdio.end_input()
            else:
                stdio.show(live)
            stage = await self._stages.end()
        return stage, stdio.stdout.finish(), stdio.stderr.finish()

    async def collect(self, patterns: Sequence[str]) -> tuple[OutputFile, ...]:
        try:
            async with self._directory("work") as directory:
                return artifacts.collect(directory, patterns)
        except ControlLost:
            return ()

    def usage(self) -> Usage:
        # An interpreter's start was paid before the job came.
        usage = self._cgroup.usage()
        return replace(usage, cpu_seconds=usage.cpu_seconds - self._cpu_base)

    @contextlib.contextmanager
    def _nothing(self) -> Iterator[int]:
        """A compiler's standard input: opened for it alone, because flags and locks of an open file are shared."""
        descriptor = os.open(self._host.devices / "null", os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextlib.asynccontextmanager
    async def _directory(self, name: str) -> AsyncIterator[int]:
        descriptor = await self._control.directory(name)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _apply(self, limits: Limits) -> bool:
        """Sets the job's own limits; False where what compilation left in memory is already more than they allow."""
        try:
            self._cgroup.apply(limits)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            return False
        return True

    def _on_memory_event(self) -> None:
        if self._cgroup.memory_event is not None:
            os.eventfd_read(self._cgroup.memory_event)
            self._stages.stop(Outcome.MEMORY_LIMIT)
