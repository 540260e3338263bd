"""One container as a sandbox, from its making to its removal: single-use, made ahead of the job it will run."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from docker.errors import APIError, NotFound

from execution.sandbox import frames
from execution.sandbox.builds import Build
from execution.sandbox.capture import Capture
from execution.sandbox.context_files import Files
from execution.sandbox.docker import files
from execution.sandbox.docker.attachment import Attachment
from execution.sandbox.docker.container import container_config, limits_update, processors
from execution.sandbox.docker.engine import Engine
from execution.sandbox.docker.images import Images
from execution.sandbox.docker.stdio import AttachedStdio
from execution.sandbox.errors import SandboxError, SandboxUnavailable
from execution.sandbox.frames import ControlLost
from execution.sandbox.job import Job, Limits, Outcome, OutputFile, Result
from execution.sandbox.live import Live
from execution.sandbox.stage import Output, Stage, Usage
from execution.sandbox.stages import Stages
from execution.sandbox.steps import carry_out
from execution.sandbox.template import Template, environment
from execution.sandbox.toolchain import Toolchain

log = logging.getLogger(__name__)

# How long a container may take from its start to its relay's first word, in seconds.
START_SECONDS = 60.0
# How often, and after how many seconds, it is looked whether the Engine has removed a container by itself.
REMOVALS, REMOVAL_INTERVAL = 100, 0.1


@dataclass(frozen=True, slots=True)
class Host:
    """What every container of a driver needs. `seccomp` is the profile's text, `processors` how many the Engine has,
    `runtime` the OCI runtime's name."""

    engine: Engine
    images: Images
    instance: str
    seccomp: str
    processors: int
    runtime: str | None = None
    numbers: Iterator[int] = field(default_factory=itertools.count)


class DockerSandbox:
    """Made by `launch`, used once by `run`, ended by `destroy`, which must be called in every case."""

    def __init__(self, template: Template, host: Host, container: str, relay: Attachment) -> None:
        self.template = template
        self.container = container
        self._host = host
        self.relay = relay
        self._stages = Stages(relay, memory_ran_out=lambda: relay.usage.memory_kills > 0, kill=relay.close)
        self.files = Files(relay)
        self._stdio: AttachedStdio | None = None
        self._cpu_base = 0.0
        self._compiled = False  # the job's files are in the work dir already
        self._limits = Limits()
        self._destroyed = False

    @classmethod
    async def launch(cls, template: Template, host: Host) -> "DockerSandbox":
        """Starts it and waits until its init, and where the template is hot its interpreter, waits for the job."""
        image = await host.images.of(template.root)
        config = container_config(
            image=image,
            instance=host.instance,
            work_bytes=template.work_bytes,
            seccomp=host.seccomp,
            cpus=processors(next(host.numbers), host.processors),
            runtime=host.runtime,
        )
        try:
            return await cls._launch(template, host, config)
        except (APIError, OSError, ControlLost, TimeoutError) as error:
            raise SandboxUnavailable(f"A container could not be started: {_reason(error)}") from None

    @classmethod
    async def _launch(cls, template: Template, host: Host, config: dict[str, Any]) -> "DockerSandbox":
        made = await _create(host.engine, config)
        container: str = made["Id"]
        if made.get("Warnings"):
            await remove(host.engine, container)
            raise SandboxUnavailable(f"The Docker Engine cannot keep a limit: {' '.join(made['Warnings'])}")
        try:
            relay = await Attachment.open(host.engine, container)
        except BaseException:
            await remove(host.engine, container)
            raise
        sandbox = cls(template, host, container, relay)
        try:
            async with asyncio.timeout(START_SECONDS):
                await host.engine.do(lambda api: api.start(container))
                await sandbox._expect("I")
                if template.hot is not None:
                    await sandbox._heat(template.hot)
            sandbox._cpu_base = relay.usage.cpu_seconds
        except BaseException:
            await sandbox.destroy()
            raise
        return sandbox

    @property
    def alive(self) -> bool:
        return not self.relay.lost.done()

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
        except ControlLost:
            raise SandboxError("The container was ended from outside; run the program again.") from None
        finally:
            if live is not None:
                live.detach()

    async def start_kernel(
        self, command: Sequence[str], env: Mapping[str, str], files: bytes, hearer: Callable[[bytes], None]
    ) -> AttachedStdio:
        """Starts a program that stays; what it writes to its descriptor 3 goes to `hearer`. `ended` tells how it
        ended. Raises SandboxError."""
        stdio = AttachedStdio(self.relay, cap=Limits().output_bytes)
        self.relay.hear(hearer)
        try:
            await self.relay.send(files + frames.pack("k", frames.command(command, environment(env, {}))))
        except ControlLost:
            raise SandboxUnavailable("A container ended before its kernel was started.") from None
        return stdio

    async def ended(self) -> Stage:
        """Waits until the program has ended."""
        return await self._stages.end()

    def stop(self) -> None:
        """Ends the program and all that it started; the sandbox stays, for its files."""
        self._stages.stop(Outcome.RUNTIME_ERROR)

    async def limit(self, limits: Limits) -> None:
        """Sets other limits while it runs. Raises SandboxError."""
        if not await self._apply(limits):
            raise SandboxError("The container uses more memory by now than it may have from now on.")

    async def destroy(self) -> None:
        """Kills whatever is left of it and removes it. Does nothing twice."""
        if self._destroyed:
            return
        self._destroyed = True
        # With the attachment the relay goes, and with it, at once, all that runs: the rest is tidying up.
        self.relay.close()
        await remove(self._host.engine, self.container)

    # --- launching ---

    async def _heat(self, toolchain: Toolchain) -> None:
        self._stdio = AttachedStdio(self.relay, cap=Limits().output_bytes)
        argv = toolchain.run_command(entrypoint=toolchain.file_name, files=(), args=())
        order = frames.command(argv, environment(toolchain.env, {}))
        await self.relay.send(frames.hot_frame(toolchain.file_name, toolchain.gate, order))
        await self._expect("R")

    async def _expect(self, kind: str) -> None:
        frame = await self.relay.receive()
        if frame.kind != kind:
            raise SandboxError(f"Init answered {frame.kind!r} where {kind!r} was due.")

    # --- the steps of a job (execution.sandbox.steps) ---

    async def compile(self, job: Job, toolchain: Toolchain, command: Sequence[str]) -> tuple[Stage, Output]:
        messages = Capture(cap=job.limits.output_bytes, on_overflow=self._stages.stopper(Outcome.OUTPUT_LIMIT))
        self.relay.listen(stdout=messages, stderr=messages)
        order = frames.pack("x", frames.command(command, environment(toolchain.env, {})))
        with self._stages.deadline(job.limits.compile_seconds):
            await self.relay.send(frames.file_frames(job.files) + order)
            stage = await self._stages.end()
        self._compiled = True
        return stage, messages.finish()

    async def read_build(self, compile_output: bytes) -> Build | None:
        return await files.read_build(self.relay, compile_output)

    async def execute(
        self, job: Job, toolchain: Toolchain, *, build: Build | None, live: Live | None
    ) -> tuple[Stage, Output, Output]:
        if not await self._apply(job.limits):
            return Stage(Outcome.MEMORY_LIMIT, 0, 0, 0.0), Output(b""), Output(b"")
        stdio = self._stdio or AttachedStdio(self.relay, cap=job.limits.output_bytes)
        stdio.limit(cap=job.limits.output_bytes, on_overflow=self._stages.stopper(Outcome.OUTPUT_LIMIT))
        with self._stages.deadline(job.limits.wall_seconds):
            if self.template.hot is not None:
                others = {path: content for path, content in job.files.items() if path != job.entrypoint}
                await self.relay.send(frames.file_frames(others) + frames.pack("G", job.files[job.entrypoint]))
            else:
                argv = toolchain.run_command(entrypoint=job.entrypoint, files=job.files, args=job.args)
                order = frames.pack("X", frames.command(argv, environment(toolchain.env, job.env)))
                own = b"" if self._compiled else frames.file_frames(job.files)
                await self.relay.send(own + frames.build_frames(build) + order)
            stdio.write(job.stdin)
            if live is None:
                stdio.end_input()
            else:
                stdio.show(live)
            stage = await self._stages.end()
        return stage, stdio.stdout.finish(), stdio.stderr.finish()

    async def collect(self, patterns: Sequence[str]) -> tuple[OutputFile, ...]:
        try:
            return await files.collect(self.relay, patterns)
        except ControlLost:
            return ()

    def usage(self) -> Usage:
        # An interpreter's start was paid before the job came.
        return replace(self.relay.usage, cpu_seconds=self.relay.usage.cpu_seconds - self._cpu_base)

    async def _apply(self, limits: Limits) -> bool:
        """Sets the job's own limits; False where what compilation left in memory is already more than they allow."""
        wanted = limits_update(limits)
        if wanted == limits_update(self._limits):
            return True
        try:
            await self._host.engine.do(lambda api: _update(api, self.container, wanted))
        except APIError as error:
            if "busy" not in _reason(error):
                raise SandboxError(f"The limits of a container could not be set: {_reason(error)}") from None
            return False
        self._limits = limits
        return True


async def _create(engine: Engine, config: dict[str, Any]) -> dict[str, Any]:
    """Makes a container. The Engine makes it also when nobody waits for it any more: then it is removed."""
    creating = asyncio.ensure_future(engine.do(lambda api: api.create_container_from_config(config)))
    try:
        return await asyncio.shield(creating)
    except asyncio.CancelledError:
        with contextlib.suppress(APIError):
            await remove(engine, (await creating)["Id"])
        raise


async def remove(engine: Engine, container: str) -> None:
    """Removes a container, whatever it does, and returns once it is gone."""
    for _ in range(REMOVALS):
        try:
            await engine.do(lambda api: api.remove_container(container, force=True, v=True))
        except NotFound:
            return
        except APIError as error:
            # It is being removed: by itself, since its relay has ended.
            if error.status_code != HTTPStatus.CONFLICT:
                log.warning("a container could not be removed: %s", _reason(error))
                return
        else:
            return
        await asyncio.sleep(REMOVAL_INTERVAL)


def _update(api: Any, container: str, limits: dict[str, int]) -> None:
    # The SDK's own update_container knows no PidsLimit.
    answer = api._post_json(api._url("/containers/{0}/update", container), data=limits)
    api._raise_for_status(answer)


def _reason(error: BaseException) -> str:
    return str(getattr(error, "explanation", None) or error or type(error).__name__)
