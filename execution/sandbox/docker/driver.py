"""The Docker driver: containers of an Engine, made ahead by the same pool as the native sandboxes."""

import asyncio
import logging
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from execution.sandbox.builds import Build
from execution.sandbox.docker.container import LABEL
from execution.sandbox.docker.engine import Engine
from execution.sandbox.docker.images import Images
from execution.sandbox.docker.kernel import launch_kernel
from execution.sandbox.docker.proof import Report
from execution.sandbox.docker.proof import faults as proof_faults
from execution.sandbox.docker.requirements import faults, has_own_kernel
from execution.sandbox.docker.sandbox import DockerSandbox, Host, remove
from execution.sandbox.docker.seccomp import profile
from execution.sandbox.errors import SandboxError, SandboxUnavailable
from execution.sandbox.job import Job, Limits, Result
from execution.sandbox.kernel import Kernel
from execution.sandbox.kernels import KernelSpec
from execution.sandbox.live import Live
from execution.sandbox.native.build import build_helper
from execution.sandbox.native.driver import MOUNT_POINTS, instance_name
from execution.sandbox.pool import Pool
from execution.sandbox.ready_kernels import ReadyKernels
from execution.sandbox.template import KernelTemplate, Template
from execution.sandbox.toolchain import Toolchain

log = logging.getLogger(__name__)

SOURCES = Path(__file__).parent
# Ready containers wait with about 20 MB each, most of it the Engine's own process beside it.
MOST_READY = 24
# Ready kernels wait with as much more as on the native driver.
MOST_KERNEL_KINDS, MOST_READY_KERNELS = 2, 4


class DockerDriver:
    name = "docker"

    def __init__(self, *, home: Path, runtime: str | None = None) -> None:
        self._home = home
        self._runtime = runtime
        self._instance = instance_name(home)
        self._ending: set[asyncio.Task[None]] = set()
        self._engine: Engine
        self._host: Host
        self._pool: Pool[Template, DockerSandbox]
        self._kernels: ReadyKernels

    def prepare(self) -> None:
        """The part of `start` that needs no event loop: the Engine and the relay."""
        self._engine = Engine.connect()
        self._info = self._engine.api.info()
        if found := faults(self._info, self._engine.api.version(), self._runtime):
            raise SandboxUnavailable(f"The Docker Engine at {self._engine.host} will not do. {' '.join(found)}")
        self._relay = build_helper("relay", self._home / "helpers", SOURCES)
        self._probe = build_helper("probe", self._home / "helpers", SOURCES)

    async def start(self) -> None:
        await self._sweep()
        images = Images(self._engine, self._relay)
        self._host = Host(self._engine, images, self._instance, profile(), self._info["NCPU"], self._runtime)
        await self._prove()
        self._pool = Pool(self._make, most_ready=MOST_READY)
        self._kernels = ReadyKernels(self._make_kernel, most_kinds=MOST_KERNEL_KINDS, most_ready=MOST_READY_KERNELS)

    def warm(self, toolchains: Iterable[Toolchain]) -> None:
        work_bytes = Limits().work_bytes
        self._pool.keep(
            Template(toolchain.root, work_bytes, toolchain if toolchain.hot else None) for toolchain in toolchains
        )

    async def run(
        self,
        job: Job,
        toolchain: Toolchain,
        *,
        live: Live | None = None,
        build: Build | None = None,
        keep: Callable[[Build], None] | None = None,
    ) -> Result:
        template = Template.of(toolchain, job)
        sandbox = await self._pool.take(template)
        try:
            return await sandbox.run(job, toolchain, live=live, build=build, keep=keep)
        finally:
            self._end(sandbox, template)

    async def kernel(self, spec: KernelSpec, toolchain: Toolchain) -> Kernel:
        template = Template(toolchain.root, Limits().work_bytes)
        return await self._kernels.take(KernelTemplate(spec, template, toolchain))

    def ready(self) -> int:
        return self._pool.ready + self._kernels.ready

    async def stop(self) -> None:
        await self._pool.close()
        await self._kernels.close()
        await asyncio.gather(*self._ending)
        self._engine.close()

    async def _make(self, template: Template) -> DockerSandbox:
        return await DockerSandbox.launch(template, self._host)

    async def _make_kernel(self, kind: KernelTemplate) -> Kernel:
        return await launch_kernel(kind, self._host)

    def _end(self, sandbox: DockerSandbox, template: Template) -> None:
        """Takes the container down and has its successor made, both after the answer has left."""

        async def end() -> None:
            await sandbox.destroy()
            self._pool.done(template)

        task = asyncio.get_running_loop().create_task(end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _prove(self) -> None:
        """Starts one container with nothing but the probe in it, which looks at it from inside, limits included."""
        root = self._probe.with_name(f"root-of-{self._probe.name}")
        for folder in MOUNT_POINTS:
            (root / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(self._probe, root / "probe")
        toolchain = Toolchain("probe", root, "none", (), None, ("/probe",), hot=False, env={})
        try:
            sandbox = await self._make(Template(root, Limits().work_bytes))
            try:
                result = await sandbox.run(Job("probe", {}, "none"), toolchain)
            finally:
                await sandbox.destroy()
        except SandboxError as error:
            raise SandboxUnavailable(f"A trial container of the Docker Engine did not run: {error}") from None
        report = Report.parse(result.stdout.decode(errors="replace"))
        if found := proof_faults(report, own_kernel=has_own_kernel(self._info, self._runtime)):
            raise SandboxUnavailable(f"A trial container of the Docker Engine is not closed: {'; '.join(found)}.")

    async def _sweep(self) -> None:
        """Removes the containers that an earlier supervisor of this home left, for instance after kill -9."""
        labelled = {"label": f"{LABEL}={self._instance}"}
        leftovers = await self._engine.do(lambda api: api.containers(all=True, filters=labelled))
        await asyncio.gather(*(remove(self._engine, container["Id"]) for container in leftovers))
